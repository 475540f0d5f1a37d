//! One layer at one sample, y = W x: what a policy that acts spends its time on.
//!
//! Rows are dot products along whole cache lines. Four of them share what is loaded of x, and every one is sixteen partial
//! sums that are added up in one order: all instruction sets give the same bits. The next four are asked for meanwhile: a
//! simulator's work between two actions leaves the weights in the second-level cache at best, and rows beside each other are
//! more streams than a processor foresees.

#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LINE, Lanes, prefetch};

/// Rows that pass together.
const ROWS: usize = 4;

/// y = W x: `rows` are W's, each as long as `x`, which has a whole number of cache lines.
pub fn affine(rows: &[f32], x: &[f32], y: &mut [f32]) {
    assert!(x.len().is_multiple_of(LINE) && rows.len() == x.len() * y.len(), "shapes of a layer");
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what it is compiled for; the shapes have been checked
            return unsafe { compiled::wide(rows, x, y) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has what it is compiled for; the shapes have been checked
            return unsafe { compiled::middle(rows, x, y) };
        }
    }
    // SAFETY: every processor has single numbers; the shapes have been checked
    unsafe { run::<f32, LINE>(rows, x, y) }
}

/// [`run`] for each instruction set.
///
/// # Safety
/// Of each: as [`run`].
#[cfg(target_arch = "x86_64")]
mod compiled {
    use super::{Avx2, Avx512, run};

    #[target_feature(enable = "avx512f")]
    pub unsafe fn wide(rows: &[f32], x: &[f32], y: &mut [f32]) {
        // SAFETY: the caller's; the instruction set is the function's
        unsafe { run::<Avx512, 1>(rows, x, y) }
    }

    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn middle(rows: &[f32], x: &[f32], y: &mut [f32]) {
        // SAFETY: the caller's; the instruction set is the function's
        unsafe { run::<Avx2, 2>(rows, x, y) }
    }
}

/// [`affine`] with `PARTS` vectors a line.
///
/// # Safety
/// The processor has `V`; the shapes are those of [`affine`].
#[inline(always)]
unsafe fn run<V: Lanes, const PARTS: usize>(rows: &[f32], x: &[f32], y: &mut [f32]) {
    const { assert!(PARTS * V::COUNT == LINE, "the vectors of a line") };
    let mut groups = y.chunks_exact_mut(ROWS);
    for (y, rows) in (&mut groups).zip(rows.chunks_exact(ROWS * x.len())) {
        // SAFETY: the caller's
        unsafe { dot_products::<V, PARTS, ROWS>(rows, x, y) }
    }
    let rest = groups.into_remainder();
    let first = rows.len() - rest.len() * x.len();
    for (y, row) in rest.chunks_exact_mut(1).zip(rows[first..].chunks_exact(x.len())) {
        // SAFETY: the caller's
        unsafe { dot_products::<V, PARTS, 1>(row, x, y) }
    }
}

/// `N` rows.
///
/// # Safety
/// As [`run`]; there are `N` rows.
#[inline(always)]
unsafe fn dot_products<V: Lanes, const PARTS: usize, const N: usize>(rows: &[f32], x: &[f32], y: &mut [f32]) {
    // SAFETY: the caller's
    unsafe {
        let load = |from: *const f32| -> [V; PARTS] {
            std::array::from_fn(|part| V::load(from.add(part * V::COUNT)))
        };
        let mut sums = [[V::splat(0.0); PARTS]; N];
        for line in (0..x.len()).step_by(LINE) {
            let x_line = load(x.as_ptr().add(line));
            for (row, sums) in sums.iter_mut().enumerate() {
                let weights = rows.as_ptr().add(row * x.len() + line);
                prefetch(weights.wrapping_add(N * x.len()));
                let weights = load(weights);
                for ((sum, weights), x) in sums.iter_mut().zip(weights).zip(x_line) {
                    *sum = weights.mul_add(x, *sum);
                }
            }
        }
        for (y, sums) in y.iter_mut().zip(&sums) {
            *y = V::sum_of_line(sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::affine;
    #[cfg(target_arch = "x86_64")]
    use super::compiled::{middle, wide};
    use super::run;
    use crate::lanes::LINE;

    /// A product of some instruction set.
    type Affine<'a> = &'a dyn Fn(&[f32], &[f32], &mut [f32]);

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919 % 1009) as f32 - 504.0) / 377.0).collect()
    }

    #[test]
    fn it_is_the_product_and_every_instruction_set_gives_the_same_bits() {
        for (outputs, inputs) in [(1, 16), (3, 32), (4, 16), (9, 48), (30, 304)] {
            let (rows, x) = (numbers(outputs * inputs, 1), numbers(inputs, 5));
            let product = |affine: Affine<'_>| {
                let mut y = vec![f32::NAN; outputs];
                affine(&rows, &x, &mut y);
                y
            };
            let got = product(&affine);
            for (y, row) in got.iter().zip(rows.chunks_exact(inputs)) {
                let terms = || row.iter().zip(&x).map(|(&w, &x)| f64::from(w) * f64::from(x));
                let size: f64 = terms().map(f64::abs).sum();
                // some 20 roundings of 6e-8 along a chain of sums, of terms that are up to `size` together
                assert!((f64::from(*y) - terms().sum::<f64>()).abs() < 1.2e-6 * size);
            }
            // SAFETY: the shapes fit; the processor is asked
            assert_eq!(product(&|w, x, y| unsafe { run::<f32, LINE>(w, x, y) }), got);
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                // SAFETY: as above
                assert_eq!(product(&|w, x, y| unsafe { middle(w, x, y) }), got);
            }
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx512f") {
                // SAFETY: as above
                assert_eq!(product(&|w, x, y| unsafe { wide(w, x, y) }), got);
            }
        }
    }

    #[test]
    #[should_panic(expected = "shapes of a layer")]
    fn shapes_that_do_not_fit_are_refused() {
        affine(&[0.0; 16], &[0.0; 15], &mut [0.0]);
    }
}
