//! Main memory: what this process may still take, and whether something fits. A `Vec` that cannot be allocated
//! ends the whole process, so what a user's numbers make large is added up and compared first.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{EngineError, Result};

/// Where control groups (version 2) are mounted.
const CONTROL_GROUPS: &str = "/sys/fs/cgroup";

/// Something that needs memory, in the user's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is, with the option that makes it large and its value.
    pub name: String,
    /// What to lower.
    pub lower: &'static str,
    /// Bytes; `u64::MAX` stands for more than can be counted.
    pub bytes: u64,
}

/// Checks that all `parts` together fit into `available` bytes; unknown is enough.
///
/// # Errors
/// `OUT_OF_MEMORY`, naming the largest part.
pub fn expect_fits(parts: &[Part], available: Option<u64>) -> Result<()> {
    let needed = parts.iter().fold(0, |sum: u64, part| sum.saturating_add(part.bytes));
    let (Some(available), Some(largest)) = (available, parts.iter().max_by_key(|part| part.bytes)) else {
        return Ok(());
    };
    if needed <= available {
        return Ok(());
    }
    let Part { name, lower, bytes } = largest;
    let largest = format!("most of it for {name}: {}, lower {lower}", in_words(*bytes));
    Err(EngineError::OutOfMemory { needed, available, largest })
}

/// Room for `values` more in `rows`, no more than that.
///
/// # Errors
/// `OUT_OF_MEMORY` when the allocator refuses; `rows` stays as it was.
pub fn reserve(rows: &mut Vec<f32>, values: usize, part: &str, lower: &str) -> Result<()> {
    let bytes = |values: usize| (values as u64).saturating_mul(size_of::<f32>() as u64);
    rows.try_reserve_exact(values).map_err(|_| EngineError::OutOfMemory {
        needed: bytes(rows.len().saturating_add(values)),
        available: bytes(rows.capacity()),
        largest: format!("{part} cannot grow, lower {lower}"),
    })
}

/// Such as 15.2 GB.
pub fn in_words(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB")];
    let (size, unit) = UNITS.into_iter().find(|(size, _)| bytes >= *size).unwrap_or((1_000, "kB"));
    format!("{:.1} {unit}", bytes as f64 / size as f64)
}

/// Bytes that this process may still take: what the machine has available, or less where a control group (a
/// container, a batch system) allows less. None where neither can be read.
pub fn available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| machine_available(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").map(|text| group_folders(&text)).unwrap_or_default();
    machine.into_iter().chain(groups.iter().filter_map(|folder| group_available(folder))).min()
}

/// `MemAvailable` of /proc/meminfo, which counts in kB.
fn machine_available(meminfo: &str) -> Option<u64> {
    number_of(meminfo, "MemAvailable:").map(|kilobytes| kilobytes.saturating_mul(1024))
}

/// The group of a version-2 line of /proc/self/cgroup (`0::/a/b`) and all above it: each has a limit of its own.
fn group_folders(membership: &str) -> Vec<PathBuf> {
    let path = membership.lines().find_map(|line| line.strip_prefix("0::/"));
    let root = Path::new(CONTROL_GROUPS);
    path.map(|path| {
        root.join(path).ancestors().take_while(|f| f.starts_with(root)).map(Path::to_owned).collect()
    })
    .unwrap_or_default()
}

fn group_available(folder: &Path) -> Option<u64> {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    group_rest(&read("memory.max")?, &read("memory.current")?, &read("memory.stat").unwrap_or_default())
}

/// What a group's limit leaves; none without a limit. The files it has cached and not used lately are given back
/// when memory is short, so they count as free.
fn group_rest(limit: &str, current: &str, statistics: &str) -> Option<u64> {
    let limit: u64 = limit.trim().parse().ok()?;
    let current: u64 = current.trim().parse().ok()?;
    let cached = number_of(statistics, "inactive_file").unwrap_or(0);
    Some(limit.saturating_sub(current.saturating_sub(cached)))
}

/// The number after `name` at the start of a line.
fn number_of(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        if words.next() == Some(name) { words.next()?.parse().ok() } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::{
        Part, available, expect_fits, group_folders, group_rest, in_words, machine_available, reserve,
    };
    use std::path::Path;

    fn part(name: &str, bytes: u64) -> Part {
        Part { name: name.to_owned(), lower: "it", bytes }
    }

    #[test]
    fn parts_fit_up_to_the_last_byte() {
        let parts = [part("one", 600), part("two", 400)];
        assert_eq!(expect_fits(&parts, Some(1000)), Ok(()));
        assert_eq!(expect_fits(&parts, Some(999)).unwrap_err().code(), "OUT_OF_MEMORY");
        assert_eq!(expect_fits(&parts, None), Ok(()));
    }

    #[test]
    fn a_refusal_names_the_largest_part_and_what_to_lower() {
        let parts = [part("one", 400), part("two", 15_200_000_000), part("three", 500)];
        let message = expect_fits(&parts, Some(2_000_000_000)).unwrap_err().to_string();
        assert_eq!(
            message,
            "needs 15.2 GB of memory, 2.0 GB can be had; most of it for two: 15.2 GB, lower it"
        );
    }

    #[test]
    fn parts_beyond_counting_do_not_fit() {
        let parts = [part("one", u64::MAX), part("two", u64::MAX)];
        assert_eq!(expect_fits(&parts, Some(u64::MAX - 1)).unwrap_err().code(), "OUT_OF_MEMORY");
    }

    #[test]
    fn an_allocation_that_is_refused_is_an_error_and_changes_nothing() {
        let mut rows = vec![1.0, 2.0];
        let error = reserve(&mut rows, usize::MAX / 8, "the replay buffer", "replay.capacity").unwrap_err();
        assert_eq!(error.code(), "OUT_OF_MEMORY");
        assert_eq!(rows, [1.0, 2.0]);
        reserve(&mut rows, 5, "the replay buffer", "replay.capacity").unwrap();
        assert_eq!(rows.capacity(), 7);
    }

    #[test]
    fn bytes_read_as_a_person_would_say_them() {
        let words = [999, 64_000, 15_240_000_000, u64::MAX].map(in_words);
        assert_eq!(words, ["1.0 kB", "64.0 kB", "15.2 GB", "18446744.1 TB"]);
    }

    #[test]
    fn the_machines_available_memory_is_read_in_bytes() {
        let text = "MemTotal:       24684092 kB\nMemFree:        19301108 kB\nMemAvailable:   23823888 kB\n";
        assert_eq!(machine_available(text), Some(23_823_888 * 1024));
        assert_eq!(machine_available("MemTotal: 5 kB"), None);
    }

    #[test]
    fn a_group_leaves_its_limit_less_what_it_holds_for_good() {
        let statistics = "anon 600\nfile 300\ninactive_file 250\nactive_file 50\n";
        assert_eq!(group_rest("1000\n", "900\n", statistics), Some(350));
        assert_eq!(group_rest("1000\n", "900\n", ""), Some(100));
        assert_eq!(group_rest("1000\n", "1100\n", ""), Some(0));
        assert_eq!(group_rest("max\n", "900\n", ""), None);
    }

    #[test]
    fn a_group_is_limited_by_every_group_above_it() {
        let folders = group_folders("4:memory:/old\n0::/user.slice/run.scope\n");
        let expected = ["/sys/fs/cgroup/user.slice/run.scope", "/sys/fs/cgroup/user.slice", "/sys/fs/cgroup"];
        assert_eq!(folders, expected.map(Path::new));
        assert_eq!(group_folders("0::/\n"), [Path::new("/sys/fs/cgroup/")]);
        assert!(group_folders("4:memory:/old\n").is_empty());
    }

    #[test]
    fn this_process_may_have_some_memory() {
        assert!(available().is_some_and(|bytes| bytes > 1_000_000));
    }
}
