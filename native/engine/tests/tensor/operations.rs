//! What an update asks of its device, by count: operations, transfers, and whether a graph of it could be recorded.

use std::path::{Path, PathBuf};

use tch::Kind;
use virel_engine::learner::tensor::{TensorLearner, Transfers, transfers};
use virel_engine::learner::{Learner as _, Step, Temperature};
use virel_engine::random::{Purpose, Stream};
use virel_engine::recipe::{PolicyKind, TrainedTemperature};
use virel_engine::replay::rows::Rows;
use virel_operations::{Operation, operations};

use super::support::Case;
use super::support::recipes::Variant;
use super::{learner, tiny, variants};

const ROWS: usize = 6;

/// Operations that make the host wait for a GPU: each brings a number, or needs one to know a shape.
const WAITING: [&str; 9] = [
    "aten::_local_scalar_dense",
    "aten::item",
    "aten::equal",
    "aten::is_nonzero",
    "aten::masked_select",
    "aten::nonzero",
    "aten::repeat_interleave",
    "aten::unique_dim",
    "aten::_unique2",
];

/// A learner with batches to learn from.
struct Updates {
    case: Case,
    stream: Stream,
    learner: TensorLearner,
    taken: u32,
}

impl Updates {
    fn new(variant: Variant) -> Self {
        let case = Case::of(variant, 3, tiny(), ROWS, 1.0);
        let learner = learner(&case, Kind::Float);
        Self { case, stream: Stream::new(3, Purpose::ReplayIndex, 0), learner, taken: 0 }
    }

    fn redraw(&mut self) {
        self.case.redraw(&mut self.stream, ROWS);
        self.taken += 1;
    }

    /// Whether T may be a multiple of the residual error.
    fn may_read_residual(&self) -> bool {
        let recipe = &self.case.variant.recipe;
        recipe.policy == PolicyKind::TanhGaussian && recipe.trained_temperature == TrainedTemperature::None
    }

    /// T, the residual error's where that may be; a factor of its own for each update, as mean |r| moves.
    fn temperature(&self) -> Temperature {
        if self.may_read_residual() && self.taken > 0 {
            Temperature::OfResidual { slope: 0.01 + 0.001 * f64::from(self.taken), offset: 0.2 }
        } else {
            self.case.temperature()
        }
    }

    fn measure(&mut self) {
        let temperature = if self.taken == 1 { self.case.temperature() } else { self.temperature() };
        self.learner.measure(&Rows::Gathered(self.case.batch()), &self.case.next_noise, temperature).unwrap();
    }

    fn step(&mut self) {
        let temperature = self.temperature();
        self.learner.step(Step::Joint, &self.case.batch(), &self.case.noise, temperature).unwrap();
        self.learner.update_targets(Step::Joint).unwrap();
    }

    /// Operations of a measurement and of the step after it.
    fn next(&mut self) -> [Vec<Operation>; 2] {
        self.redraw();
        [operations(|| self.measure()), operations(|| self.step())]
    }
}

#[test]
fn updates_read_nothing_from_the_device_and_upload_once_each() {
    for variant in variants() {
        let mut updates = Updates::new(variant);
        let before = transfers();
        for _ in 0..20 {
            updates.redraw();
            updates.measure();
            updates.step();
        }
        let after = transfers();
        let expected = Transfers { uploads: before.uploads + 2 * 20, reads: before.reads };
        assert_eq!(after, expected, "{}", variant.name);
        // what was seen comes in one read when it is asked for
        let terms = updates.learner.terms().unwrap();
        let seen = [terms.residual_error, Some(terms.losses.policy)];
        let is_finite = seen.iter().all(|value| value.is_some_and(f32::is_finite));
        assert!(is_finite, "{}: {seen:?}", variant.name);
        assert_eq!(transfers().reads, after.reads + 1, "{}", variant.name);
        updates.learner.norms().unwrap();
        assert_eq!(transfers().reads, after.reads + 2, "{}", variant.name);
    }
}

#[test]
fn no_operation_of_an_update_waits_for_the_device_and_no_number_in_one_is_of_its_update() {
    for variant in variants() {
        let mut updates = Updates::new(variant);
        updates.next();
        let (second, third) = (updates.next(), updates.next());
        for operation in second.iter().flatten() {
            assert!(!WAITING.contains(&operation.name.as_str()), "{}: {}", variant.name, operation.name);
        }
        // a recorded graph repeats operations and their numbers as they are: step counts, rates and temperatures
        // among them would stand still
        for (second, third) in second.iter().zip(&third) {
            assert_eq!(second.len(), third.len(), "{}", variant.name);
            for (index, (second, third)) in second.iter().zip(third).enumerate() {
                assert_eq!(second, third, "{}, operation {index}", variant.name);
            }
        }
    }
}

/// Operations that compute or copy, of a joint step with its targets and of a residual error; two hidden layers.
fn table() -> String {
    let mut table = "| recipe | step and targets | residual error |\n| --- | ---: | ---: |\n".to_owned();
    for variant in variants() {
        let mut updates = Updates::new(variant);
        updates.next();
        let [residual, step] = updates.next().map(|all| all.iter().filter(|each| each.is_work()).count());
        table += &format!("| {} | {step} | {residual} |\n", variant.name);
    }
    table
}

#[test]
fn operations_of_an_update_are_as_many_as_the_documentation_says() {
    let table = table();
    println!("{table}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/tensor-engine.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (documented, counted) = (cells(&text), cells(&table));
    // a count that rose is a regression, one that fell is stored there
    assert!(documented.windows(counted.len()).any(|rows| rows == counted), "{path} has another table");
}

/// The cells of every row of the tables in a text, however they are spaced.
fn cells(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with('|') && !line.contains("--"));
    rows.map(|row| row.split('|').map(str::trim).collect()).collect()
}

/// Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    entries.flat_map(files).filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}

#[test]
fn no_tensor_is_converted_past_the_counted_read() {
    // `f32::try_from(tensor)` reads too, and clippy cannot forbid a trait's method for one type
    for path in sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))) {
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("tch::") {
            let conversions = text.matches("try_from(").count() + text.matches("try_into(").count();
            let of_numbers = text.matches("i32::try_from(threads)").count();
            assert_eq!(conversions, of_numbers, "{}", path.display());
        }
    }
}
