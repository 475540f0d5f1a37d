//! Parameters and training states on disk: safetensors through the crate, written whole or not at all. Rows of the replay
//! buffer are in [`crate::replay::segment`].

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{EngineError, Result, expect_finite};
use crate::ledger::{Entries, Values};
use crate::networks::layout::{Parameter, ParameterSpec};

/// Largest parameter file that is read, in bytes: some hundred times the largest network of the paper.
const MAX_BYTES: u64 = 1 << 30;

/// Writes parameters and free-text metadata to `path`: a temporary file beside it, synced, then renamed.
///
/// # Errors
/// `NOT_FINITE`, since such a file could not be read again; `IO`. An older file at `path` stays then.
pub fn save_parameters(
    path: &Path,
    parameters: &[Parameter],
    metadata: HashMap<String, String>,
) -> Result<()> {
    for Parameter { spec, data } in parameters {
        expect_finite(spec.name.clone(), data)?;
    }
    let bytes: Vec<Vec<u8>> =
        parameters.iter().map(|p| p.data.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
    let mut views = Vec::new();
    for (parameter, bytes) in parameters.iter().zip(&bytes) {
        let view = TensorView::new(Dtype::F32, parameter.spec.shape.clone(), bytes)
            .map_err(|error| io(path, &error))?;
        views.push((parameter.spec.name.as_str(), view));
    }
    let file = safetensors::serialize(views, Some(metadata)).map_err(|error| io(path, &error))?;
    write_whole(path, &file).map_err(|error| io(path, &error))
}

/// The files of a training state, each with the entries whose names begin with its own; the order of
/// [`crate::session::Session::save_state`].
const STATE_FILES: [&str; 4] = ["optimizer", "rng", "simulator", "schedule"];

/// Writes a training state to `folder`, as parameters are written.
///
/// # Errors
/// `IO`.
pub fn save_state(folder: &Path, entries: &Entries) -> Result<()> {
    for name in STATE_FILES {
        let path = folder.join(name).with_extension("safetensors");
        let of_file = entries.iter().filter(|(entry, _)| entry.split('.').next() == Some(name));
        let of_file: Vec<_> = of_file.map(|(entry, values)| (entry.as_str(), encode(values))).collect();
        let mut views = Vec::new();
        for (entry, (kind, count, bytes)) in &of_file {
            let view = TensorView::new(*kind, vec![*count], bytes).map_err(|error| io(&path, &error))?;
            views.push((*entry, view));
        }
        let file = safetensors::serialize(views, None).map_err(|error| io(&path, &error))?;
        write_whole(&path, &file).map_err(|error| io(&path, &error))?;
    }
    Ok(())
}

/// Reads what [`save_state`] wrote.
///
/// # Errors
/// `IO`; `CHECKPOINT_CORRUPT` for anything but whole files of the three kinds of numbers.
pub fn load_state(folder: &Path) -> Result<Entries> {
    let mut entries = Entries::new();
    for name in STATE_FILES {
        let path = folder.join(name).with_extension("safetensors");
        let bytes = read_bounded(&path)?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| corrupt(&path, error.to_string()))?;
        for (entry, view) in file.iter() {
            let values = decode(&view).ok_or_else(|| {
                corrupt(
                    &path,
                    format!("{entry}: expected float32, float64 or uint64, got {:?}", view.dtype()),
                )
            })?;
            entries.insert(entry.to_owned(), values);
        }
    }
    Ok(entries)
}

/// Kind, count and bytes.
fn encode(values: &Values) -> (Dtype, usize, Vec<u8>) {
    match values {
        Values::F32(values) => {
            (Dtype::F32, values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect())
        }
        Values::F64(values) => {
            (Dtype::F64, values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect())
        }
        Values::U64(values) => {
            (Dtype::U64, values.len(), values.iter().flat_map(|value| value.to_le_bytes()).collect())
        }
    }
}

fn decode(view: &TensorView<'_>) -> Option<Values> {
    let bytes = view.data();
    let (wide, _) = bytes.as_chunks::<8>();
    match view.dtype() {
        Dtype::F32 => Some(Values::F32(floats(bytes))),
        Dtype::F64 => Some(Values::F64(wide.iter().map(|&word| f64::from_le_bytes(word)).collect())),
        Dtype::U64 => Some(Values::U64(wide.iter().map(|&word| u64::from_le_bytes(word)).collect())),
        _ => None,
    }
}

/// Float32 values in little-endian order.
pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    let (words, _) = bytes.as_chunks::<4>();
    words.iter().map(|&word| f32::from_le_bytes(word)).collect()
}

pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let renamed = write_synced(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if renamed.is_err() {
        // the first error is the one to tell
        let _ = fs::remove_file(&temporary);
    }
    renamed?;
    // the rename itself is safe only once its folder is on disk; a bare file name lies in the working directory
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Reads every float32 tensor of a safetensors file, in the file's order.
///
/// # Errors
/// `IO`; `CHECKPOINT_CORRUPT` for anything but a whole, finite, float32 safetensors file.
pub fn load_parameters(path: &Path) -> Result<Vec<Parameter>> {
    let bytes = read_bounded(path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| corrupt(path, error.to_string()))?;
    file.iter().map(|(name, view)| parameter(path, name, &view)).collect()
}

/// A whole file, whose size is looked at before memory is taken.
fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(path).map_err(|error| io(path, &error))?.len();
    if size > MAX_BYTES {
        return Err(corrupt(path, format!("{size} bytes, more than the {MAX_BYTES} that it can need")));
    }
    fs::read(path).map_err(|error| io(path, &error))
}

fn parameter(path: &Path, name: &str, view: &TensorView<'_>) -> Result<Parameter> {
    if view.dtype() != Dtype::F32 {
        return Err(corrupt(path, format!("{name}: expected float32, got {:?}", view.dtype())));
    }
    let data = floats(view.data());
    if let Some(index) = data.iter().position(|value| !value.is_finite()) {
        return Err(corrupt(path, format!("{name}[{index}] is {}", data[index])));
    }
    Ok(Parameter { spec: ParameterSpec { name: name.to_owned(), shape: view.shape().to_vec() }, data })
}

pub(crate) fn io(path: &Path, error: &dyn std::error::Error) -> EngineError {
    EngineError::Io { path: path.display().to_string(), reason: error.to_string() }
}

pub(crate) fn corrupt(path: &Path, reason: String) -> EngineError {
    EngineError::CheckpointCorrupt { path: path.display().to_string(), reason }
}

#[cfg(test)]
mod tests {
    use super::{load_parameters, load_state, save_parameters, save_state};
    use crate::ledger::{Entries, Values};
    use crate::networks::layout::{Parameter, ParameterSpec};
    use crate::random::{Purpose, Stream};
    use std::collections::HashMap;
    use std::path::PathBuf;

    /// A folder of one test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("virel-checkpoint-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn join(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            // a folder that stays behind fails nothing
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn parameters() -> Vec<Parameter> {
        let mut stream = Stream::new(0, Purpose::Initialise, 0);
        let mut drawn = |name: &str, shape: &[usize]| {
            let spec = ParameterSpec { name: name.to_owned(), shape: shape.to_vec() };
            Parameter { data: (0..spec.len()).map(|_| stream.normal() as f32).collect(), spec }
        };
        vec![drawn("policy.trunk.0.weight", &[4, 3]), drawn("policy.trunk.0.bias", &[4])]
    }

    #[test]
    fn parameters_come_back_bit_for_bit() {
        let folder = Folder::new("round-trip");
        let path = folder.join("model.safetensors");
        save_parameters(&path, &parameters(), HashMap::from([("env".into(), "x".into())])).unwrap();
        let mut loaded = load_parameters(&path).unwrap();
        let mut saved = parameters();
        loaded.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        saved.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
        assert_eq!(loaded, saved);
        let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1, "the temporary file is gone");
    }

    #[test]
    fn a_training_state_comes_back_bit_for_bit_and_its_files_are_all_needed() {
        let folder = Folder::new("state");
        let entries = Entries::from([
            ("optimizer.policy.firstMoment".to_owned(), Values::F32(vec![1.5, -0.0, 1e-42])),
            ("rng.reset".to_owned(), Values::U64(vec![u64::MAX, 3])),
            ("simulator.state".to_owned(), Values::F64(vec![0.1, -7.25])),
            ("schedule.phases".to_owned(), Values::F64(Vec::new())),
        ]);
        save_state(&folder.0, &entries).unwrap();
        assert_eq!(load_state(&folder.0).unwrap(), entries);
        for file in std::fs::read_dir(&folder.0).unwrap().map(|file| file.unwrap().path()) {
            let whole = std::fs::read(&file).unwrap();
            std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
            assert_eq!(load_state(&folder.0).unwrap_err().code(), "CHECKPOINT_CORRUPT", "{file:?}");
            std::fs::remove_file(&file).unwrap();
            assert_eq!(load_state(&folder.0).unwrap_err().code(), "IO", "{file:?}");
            std::fs::write(&file, &whole).unwrap();
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        let folder = Folder::new("truncated");
        let path = folder.join("model.safetensors");
        save_parameters(&path, &parameters(), HashMap::new()).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(load_parameters(&path).unwrap_err().code(), "CHECKPOINT_CORRUPT", "{length} bytes");
        }
    }

    #[test]
    fn a_value_that_is_not_finite_is_refused_in_both_directions() {
        let folder = Folder::new("nan");
        let path = folder.join("model.safetensors");
        const MARK: f32 = 12_345.678;
        let mut marked = parameters();
        marked[0].data[2] = MARK;
        save_parameters(&path, &marked, HashMap::new()).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(4).position(|word| word == MARK.to_le_bytes()).unwrap();
        bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        let error = load_parameters(&path).unwrap_err();
        assert_eq!(error.code(), "CHECKPOINT_CORRUPT");
        assert!(error.to_string().contains("[2] is NaN"), "{error}");

        marked[0].data[2] = f32::INFINITY;
        let error = save_parameters(&path, &marked, HashMap::new()).unwrap_err();
        assert_eq!(error.code(), "NOT_FINITE");
        assert!(error.to_string().starts_with("policy.trunk.0.weight[2]"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "the older file stays");
    }

    #[test]
    fn a_failed_write_leaves_no_temporary_file() {
        let folder = Folder::new("failed");
        let path = folder.join("a-folder");
        std::fs::create_dir_all(path.join("not-empty")).unwrap();
        assert_eq!(save_parameters(&path, &parameters(), HashMap::new()).unwrap_err().code(), "IO");
        let names: Vec<_> =
            std::fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["a-folder"]);
    }

    #[test]
    fn an_unwritable_folder_is_an_io_error() {
        let folder = Folder::new("missing");
        let path = folder.join("no/such/folder/model.safetensors");
        assert_eq!(save_parameters(&path, &parameters(), HashMap::new()).unwrap_err().code(), "IO");
        assert_eq!(load_parameters(&path).unwrap_err().code(), "IO");
    }
}
