//! How many values of a factor may be other than zero for [`lists`](super::lists) to be faster than blocks.
//!
//! It depends on the processor: wider vectors make blocks faster, but neither what it takes to turn a factor over nor a
//! load for each multiply-add. So it is measured, once a process. Either way gives the same bits, as far as
//! [`lists`](super::lists) says.

use std::array;
use std::sync::OnceLock;
use std::time::Instant;

use super::Gemm;
use super::calibration::{BATCH, Layer, WIDTH};
use super::zeros::Sparse;
use crate::learner::kernel::memory::Matrix;

/// Shares of values that are not zero at which both ways take the same time.
struct BreakEven {
    rows: f64,
    columns: f64,
}

/// What is taken before it is measured.
const UNMEASURED: f64 = 0.5;

/// What is believed of a measurement that something else on the machine may have disturbed.
const LEAST: f64 = 0.4;
const MOST: f64 = 0.7;

static MEASURED: OnceLock<BreakEven> = OnceLock::new();

/// The share up to which lists are faster.
pub fn of(sparse: Sparse) -> f64 {
    MEASURED.get().map_or(UNMEASURED, |measured| match sparse {
        Sparse::Rows => measured.rows,
        Sparse::Columns => measured.columns,
    })
}

/// Measures it, unless that has been done.
pub fn measure() {
    MEASURED.get_or_init(|| {
        let mut inputs = Inputs::new();
        BreakEven { rows: inputs.share(Sparse::Rows), columns: inputs.share(Sparse::Columns) }
    });
}

/// Shares that lists are timed at: below [`UNMEASURED`], so that products take them.
const THIN: [f64; 2] = [0.15, 0.45];

/// Times of each product, of which the shortest counts.
const ROUNDS: usize = 8;

/// Where the time of lists, a line through two shares, meets that of blocks.
fn crossing(blocks: f64, lists: [f64; 2]) -> f64 {
    let slope = (lists[1] - lists[0]) / (THIN[1] - THIN[0]);
    let share = THIN[0] + (blocks - lists[0]) / slope;
    if slope > 0.0 { share.clamp(LEAST, MOST) } else { UNMEASURED }
}

/// Rows of a layer's gradient that are computed together.
const PIECE: usize = 108;

/// A layer of the usual size and its inputs: as many zeros as [`THIN`] says, and none.
struct Inputs {
    layer: Layer,
    dense: Matrix,
    thin: [Matrix; 2],
}

impl Inputs {
    fn new() -> Self {
        Self { layer: Layer::new(), dense: activations(1.0), thin: THIN.map(activations) }
    }

    /// The share for one of the factors.
    fn share(&mut self, sparse: Sparse) -> f64 {
        let mut shortest = [f64::INFINITY; 3];
        for _ in 0..ROUNDS {
            let times = [None, Some(0), Some(1)].map(|thin| {
                let since = Instant::now();
                self.multiply(sparse, thin);
                since.elapsed().as_secs_f64()
            });
            shortest = array::from_fn(|i| shortest[i].min(times[i]));
        }
        let [blocks, few, many] = shortest;
        crossing(blocks, [few, many])
    }

    /// One product: a layer's outputs, whose second factor has zeros, or the gradient by its weights, whose first has.
    fn multiply(&mut self, sparse: Sparse, thin: Option<usize>) {
        let Self { layer, dense, thin: all } = self;
        let factor = |features: usize| match thin {
            Some(index) => all[index].view(0..features, BATCH).sparse(),
            None => dense.view(0..features, BATCH),
        };
        let x = dense.view(0..1 + WIDTH, BATCH);
        match sparse {
            Sparse::Columns => {
                Layer::forward(Gemm::Own, (&layer.weights, factor(1 + WIDTH)), &mut layer.outputs);
            }
            Sparse::Rows => Layer::weight_gradient(Gemm::Own, (factor(PIECE), x), &mut layer.gradient),
        }
    }
}

/// Activations of which a share is not zero, anywhere.
fn activations(share: f64) -> Matrix {
    let mut all = Matrix::zeros(1 + WIDTH, BATCH);
    for feature in 0..=WIDTH {
        for (sample, x) in all.row_mut(feature, BATCH).iter_mut().enumerate() {
            // some number between 0 and 1, as good as any
            let number =
                ((feature * BATCH + sample).wrapping_mul(0x9e37_79b9) >> 8 & 0xffff) as f32 / 65_536.0;
            *x = if f64::from(number) < share { 1.0 + number } else { 0.0 };
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::{LEAST, MOST, THIN, UNMEASURED, activations, crossing};
    use crate::learner::kernel::sgemm::zeros::Sparse;

    #[test]
    fn lists_and_blocks_meet_where_both_take_the_same_time() {
        // 30 + 100 d
        let lists = THIN.map(|share| 30.0 + 100.0 * share);
        for (blocks, share) in [(90.0, 0.6), (75.0, 0.45), (1000.0, MOST), (10.0, LEAST)] {
            assert!((crossing(blocks, lists) - share).abs() < 1e-12, "{blocks}");
        }
        // lists that took no longer for more: something else did
        assert_eq!(crossing(90.0, [40.0, 40.0]), UNMEASURED);
    }

    #[test]
    fn what_is_measured_has_as_many_zeros_as_it_says() {
        for share in [THIN[0], THIN[1], 1.0] {
            let all = activations(share);
            let values: Vec<f32> =
                all.view(0..301, 128).by_row().flatten().copied().filter(|&x| x != 0.0).collect();
            // binomial with n = 38,528: standard deviation at most 0.0026, five of them
            assert!((values.len() as f64 / (301.0 * 128.0) - share).abs() < 0.013, "{share}");
        }
    }

    #[test]
    fn it_is_measured_once() {
        super::measure();
        let first = [Sparse::Rows, Sparse::Columns].map(super::of);
        super::measure();
        assert_eq!([Sparse::Rows, Sparse::Columns].map(super::of), first);
        assert!(first.iter().all(|share| (LEAST..=MOST).contains(share)));
    }
}
