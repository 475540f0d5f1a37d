//! Where the factors of a product have zeros that [`lists`](super::lists) may leave out, as some of their values show.

use std::ops::Range;

use super::blocks::Job;
use crate::lanes::LINE;

/// What is known of the zeros of a product's factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The factor that may have many, anywhere.
    pub sparse: Option<Sparse>,
    /// Whether B is observations, whose features are contiguous: some that lie together may be mostly zero.
    pub has_features: bool,
}

/// Which factor is sparse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sparse {
    /// A, whose rows are contiguous.
    Rows,
    /// B: its columns are what is listed.
    Columns,
}

/// Rows or columns of the sparse factor from one that is looked at to the next.
const LOOK_EVERY: usize = 16;

/// Up to which share of values that are not zero lists are faster than blocks. By `cargo run --example zeros` lists of columns take
/// 0.91 of what blocks take at 0.6, lists of rows 0.86, on a Zen 5 with AVX-512; 0.82 and 0.79 with AVX2 there. The lines through 0.5
/// and 0.6 meet blocks at 0.66 or later. Less is taken: a smaller cache makes lists slower, not blocks.
const MOST: f64 = 0.65;

/// Whether lists of the sparse factor are faster than blocks, as far as some of its rows or columns show.
///
/// # Safety
/// As [`super::lists::multiply`].
pub unsafe fn is_thin(job: &Job, sparse: Sparse) -> bool {
    let (values, stride, rows, len) = match sparse {
        Sparse::Rows => (job.a, job.a_row_stride, job.rows, job.inner),
        Sparse::Columns if job.b_column_stride == 1 => (job.b, job.b_row_stride, job.inner, job.columns),
        Sparse::Columns => (job.b, job.b_column_stride, job.columns, job.inner),
    };
    let (mut seen, mut listed) = (0, 0);
    for row in (LOOK_EVERY / 2..rows).step_by(LOOK_EVERY) {
        // SAFETY: the caller's
        let values = unsafe { std::slice::from_raw_parts(values.add(row * stride), len) };
        listed += nonzero(values);
        seen += len;
    }
    seen > 0 && listed as f64 <= MOST * seen as f64
}

fn nonzero(values: &[f32]) -> usize {
    values.iter().filter(|&&value| value != 0.0).count()
}

/// Samples of a feature that are looked at: a line of memory.
const SEEN: usize = LINE;

/// Fewest samples that are worth it.
const FEW_SAMPLES: usize = 32;

/// Features, all of them zero, that are worth a product of their own.
const WORTH: usize = 32;

/// The features of B that lie together and are mostly zero; none where they would be too few.
///
/// # Safety
/// As [`super::lists::multiply`]; B's features are contiguous: its rows or, turned over, its columns.
pub unsafe fn thin_features(job: &Job) -> Range<usize> {
    let (count, samples, stride) = match job.b_column_stride {
        1 => (job.inner, job.columns, job.b_row_stride),
        stride => (job.columns, job.inner, stride),
    };
    if samples < FEW_SAMPLES {
        return 0..0;
    }
    // SAFETY: the caller's; a feature has more samples
    stretch(count, |index| unsafe { &*job.b.add(index * stride).cast::<[f32; SEEN]>() })
}

/// Of `count` features those that lie together and are mostly zero, as far as some samples show: the stretch with the most
/// zeros beyond half of its values. None where they are not worth it.
fn stretch<'a>(count: usize, feature: impl Fn(usize) -> &'a [f32; SEEN]) -> Range<usize> {
    let mut thin = 0..0;
    if count < WORTH {
        return thin;
    }
    // a stretch that has more values than zeros so far is better left out
    let (mut first, mut beyond, mut most) = (0, 0, WORTH * SEEN);
    for index in 0..count {
        beyond += 2 * (SEEN - nonzero(feature(index)));
        match beyond.checked_sub(SEEN) {
            Some(rest) if rest > 0 => beyond = rest,
            _ => (first, beyond) = (index + 1, 0),
        }
        if beyond >= most {
            (thin, most) = (first..index + 1, beyond + 1);
        }
    }
    thin
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::{SEEN, stretch};

    /// The stretch that is found where a number of features have so many zeros in ten samples.
    fn found(features: &[(usize, usize)]) -> Range<usize> {
        let values: Vec<[f32; SEEN]> = features
            .iter()
            .flat_map(|&(count, zeros)| {
                (0..count).map(move |feature| {
                    std::array::from_fn(|i| if (i * 7 + feature) % 10 < zeros { 0.0 } else { 1.0 })
                })
            })
            .collect();
        stretch(values.len(), |index| &values[index])
    }

    #[test]
    fn features_that_are_mostly_zero_are_found_where_they_lie_together() {
        // a humanoid: contact forces last; before the actions; two stretches, the longer one counts
        assert_eq!(found(&[(271, 0), (78, 9)]), 271..349);
        assert_eq!(found(&[(271, 0), (78, 10), (17, 0)]), 271..349);
        assert_eq!(found(&[(40, 10), (100, 0), (50, 10)]), 140..190);
        // a few that are dense between thin ones
        assert_eq!(found(&[(10, 0), (40, 10), (6, 2), (40, 10)]), 10..96);
        assert_eq!(found(&[(100, 10)]), 0..100);
    }

    #[test]
    fn what_is_not_worth_it_is_not_found() {
        for features in [[(300, 0), (0, 0)], [(300, 4), (40, 5)], [(100, 0), (31, 10)], [(18, 0), (0, 0)]] {
            assert!(found(&features).is_empty(), "{features:?}");
        }
        assert!(found(&[]).is_empty());
    }
}
