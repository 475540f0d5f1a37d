//! Rows of the replay buffer on disk: one file for the transitions between two checkpoints, written once and never changed,
//! so that a save costs what is new and every checkpoint shares what was there.
//!
//! A file is a safetensors file with one tensor `rows`, `[n, row]`, and the number of its first transition in its metadata.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::buffer::ReplayBuffer;
use crate::checkpoint::{corrupt, floats, io, write_whole};
use crate::error::{EngineError, Result};

/// Most transitions of one file: what is written stands in memory twice meanwhile, some 400 MB of Humanoid's.
const MOST_ROWS: u64 = 1 << 16;

const FIRST: &str = "first";
const ROWS: &str = "rows";

/// Writes the transitions from number `first` on to `path`, as far as the ring still holds them and one file takes them;
/// the number of the first that was written, and how many. Without any there is no file.
///
/// # Errors
/// `IO`. An older file at `path` stays then.
pub fn save(path: &Path, replay: &ReplayBuffer, first: u64) -> Result<(u64, u64)> {
    let first = first.max(replay.oldest());
    let count = replay.stored().saturating_sub(first).min(MOST_ROWS);
    if count == 0 {
        return Ok((first, 0));
    }
    let rows = (first..first + count).flat_map(|number| replay.row(number));
    let bytes: Vec<u8> = rows.flat_map(|value| value.to_le_bytes()).collect();
    let shape = vec![count as usize, replay.row_width()];
    let view = TensorView::new(Dtype::F32, shape, &bytes).map_err(|error| io(path, &error))?;
    let metadata = HashMap::from([(FIRST.to_owned(), first.to_string())]);
    let file = safetensors::serialize([(ROWS, view)], Some(metadata)).map_err(|error| io(path, &error))?;
    write_whole(path, &file).map_err(|error| io(path, &error))?;
    Ok((first, count))
}

/// Fills the ring of a session that is taken up from files in the order of their transitions. Those that the ring had
/// overwritten by then are passed over, as are those stored after its state was saved.
///
/// # Errors
/// `IO`; `CHECKPOINT_CORRUPT` for anything but finite rows of this buffer's width, and where some are missing;
/// `OUT_OF_MEMORY`.
pub fn load(paths: &[PathBuf], replay: &mut ReplayBuffer) -> Result<()> {
    let (mut next, end) = (replay.oldest(), replay.stored());
    for path in paths {
        let (first, rows) = read(path, replay.row_width())?;
        if first > next {
            return Err(missing(path, next, first));
        }
        let count = (rows.len() / replay.row_width()) as u64;
        let (from, to) = ((next - first).min(count), end.saturating_sub(first).min(count));
        if from < to {
            let width = replay.row_width();
            replay.restore(next, &rows[from as usize * width..to as usize * width])?;
            next = first + to;
        }
    }
    match (next < end, paths.last()) {
        (true, last) => {
            Err(missing(last.map_or(Path::new("the replay buffer"), PathBuf::as_path), next, end))
        }
        (false, _) => Ok(()),
    }
}

/// The number of the first transition, and all rows.
fn read(path: &Path, width: usize) -> Result<(u64, Vec<f32>)> {
    let bytes = fs::read(path).map_err(|error| io(path, &error))?;
    let refused = |reason: String| corrupt(path, reason);
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| refused(error.to_string()))?;
    let first = metadata.metadata().as_ref().and_then(|metadata| metadata.get(FIRST)?.parse::<u64>().ok());
    let first = first.ok_or_else(|| refused("does not say which transition is its first".to_owned()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| refused(error.to_string()))?;
    let view = file.tensor(ROWS).map_err(|error| refused(error.to_string()))?;
    match (view.dtype(), view.shape()) {
        (Dtype::F32, [_, columns]) if *columns == width => {}
        (kind, shape) => {
            return Err(refused(format!("{ROWS}: expected float32 rows of {width}, got {kind:?} {shape:?}")));
        }
    }
    let rows = floats(view.data());
    match rows.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(refused(format!("{ROWS}: row {} is not finite", index / width))),
        None => Ok((first, rows)),
    }
}

fn missing(path: &Path, from: u64, to: u64) -> EngineError {
    corrupt(path, format!("transitions {from} to {to} are in no file"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{MOST_ROWS, load, save};
    use crate::ledger::Ledger;
    use crate::replay::buffer::{GatheredBatch, ReplayBuffer, Transition};

    const CAPACITY: usize = 10;

    fn push(replay: &mut ReplayBuffer, value: f32) {
        let transition = Transition {
            observation: &[value, -value],
            action: &[0.5],
            reward: value / 3.0,
            next_observation: &[value + 1.0, 0.0],
            discount: 0.99,
        };
        replay.push(&transition).unwrap();
    }

    /// Saved after 4, 9, 14 and 23 transitions: the ring goes round, and its state at the end.
    fn saved(folder: &str) -> (ReplayBuffer, Vec<PathBuf>, crate::ledger::Entries) {
        let folder = std::env::temp_dir().join(format!("virel-segment-{folder}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut replay = ReplayBuffer::new(2, 1, CAPACITY);
        let mut paths = Vec::new();
        let mut first = 0;
        for end in [4, 9, 14, 23] {
            while replay.stored() < end {
                let value = replay.stored() as f32;
                push(&mut replay, value);
            }
            let path = folder.join(format!("rows-{first:012}.safetensors"));
            let (from, count) = save(&path, &replay, first).unwrap();
            assert_eq!((from, from + count), (first, end));
            first = end;
            paths.push(path);
        }
        let mut ledger = Ledger::writing();
        replay.state(&mut ledger).unwrap();
        (replay, paths, ledger.finish().unwrap())
    }

    fn empty(state: crate::ledger::Entries) -> ReplayBuffer {
        let mut replay = ReplayBuffer::new(2, 1, CAPACITY);
        replay.state(&mut Ledger::reading(state)).unwrap();
        replay
    }

    fn rows(replay: &ReplayBuffer) -> GatheredBatch {
        let mut gathered = GatheredBatch::default();
        replay.gather(&(0..replay.len()).collect::<Vec<_>>(), &mut gathered);
        gathered
    }

    #[test]
    fn a_ring_comes_back_row_by_row() {
        let (replay, paths, state) = saved("whole");
        let mut again = empty(state.clone());
        load(&paths, &mut again).unwrap();
        assert_eq!(rows(&again).as_batch().rewards, rows(&replay).as_batch().rewards);
        assert_eq!(rows(&again).as_batch().observations, rows(&replay).as_batch().observations);
        assert_eq!(again.mean_absolute_reward().to_bits(), replay.mean_absolute_reward().to_bits());
        // it goes on as the other does
        let mut replay = replay;
        for value in [7.0, 8.0] {
            push(&mut replay, value);
            push(&mut again, value);
        }
        assert_eq!(rows(&again).as_batch().rewards, rows(&replay).as_batch().rewards);
        // the first two files are of rows that the ring has overwritten
        load(&paths[2..], &mut empty(state)).unwrap();
    }

    #[test]
    fn a_file_takes_so_many_rows_and_the_next_goes_on() {
        let folder = std::env::temp_dir().join(format!("virel-segment-many-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut replay = ReplayBuffer::new(2, 1, 100_000);
        (0..70_000).for_each(|value| push(&mut replay, value as f32));
        let path = |first: u64| folder.join(format!("rows-{first}.safetensors"));
        assert_eq!(save(&path(0), &replay, 0).unwrap(), (0, MOST_ROWS));
        assert_eq!(save(&path(MOST_ROWS), &replay, MOST_ROWS).unwrap(), (MOST_ROWS, 70_000 - MOST_ROWS));
        assert_eq!(save(&path(70_000), &replay, 70_000).unwrap(), (70_000, 0));
        assert!(!path(70_000).exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn files_that_are_missing_cut_or_foreign_are_refused() {
        let (_, paths, state) = saved("refused");
        for some in [&paths[..3], &paths[3..], &[]] {
            let error = load(some, &mut empty(state.clone())).unwrap_err();
            assert_eq!(error.code(), "CHECKPOINT_CORRUPT", "{some:?}");
        }
        let whole = std::fs::read(&paths[3]).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&paths[3], &whole[..length]).unwrap();
            let error = load(&paths, &mut empty(state.clone())).unwrap_err();
            assert_eq!(error.code(), "CHECKPOINT_CORRUPT", "{length} bytes");
        }
        let mut wider = ReplayBuffer::new(3, 1, CAPACITY);
        wider.state(&mut Ledger::reading(state)).unwrap();
        std::fs::write(&paths[3], &whole).unwrap();
        assert_eq!(load(&paths, &mut wider).unwrap_err().code(), "CHECKPOINT_CORRUPT");
    }
}
