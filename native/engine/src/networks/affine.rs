//! One layer at a few samples, y = W x: what a policy that acts spends its time on.
//!
//! Rows are dot products along whole cache lines. Some of them pass some samples together and share what is loaded of both;
//! every one is sixteen partial sums that are added up in one order: all instruction sets give the same bits, and a sample has
//! the same beside others as alone. The rows that come next are asked for meanwhile: a simulator's work between two actions
//! leaves the weights in the second-level cache at best, and rows beside each other are more streams than a processor
//! foresees.

#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LINE, Lanes, prefetch};

/// The vectors of some samples, and how many floats there are from one to the next.
pub type Strided<T> = (T, usize);

/// What samples pass.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    /// W, `[outputs, inputs]`.
    pub rows: &'a [f32],
    /// Rows.
    pub outputs: usize,
    /// Columns, a whole number of cache lines.
    pub inputs: usize,
    /// How many samples.
    pub samples: usize,
}

/// y = W x for each sample: `x` `[samples, inputs]`, `y` `[samples, outputs]`.
pub fn affine(pass: Pass<'_>, x: Strided<&[f32]>, y: Strided<&mut [f32]>) {
    let Pass { rows, outputs, inputs, samples } = pass;
    let holds = |values: usize, stride: usize, len: usize| {
        let last = samples.checked_sub(1).map(|others| others.checked_mul(stride)?.checked_add(len));
        len <= stride && last.is_none_or(|end| end.is_some_and(|end| end <= values))
    };
    let is_whole = inputs.is_multiple_of(LINE) && outputs.checked_mul(inputs) == Some(rows.len());
    assert!(is_whole, "shapes of a layer");
    assert!(holds(x.0.len(), x.1, inputs) && holds(y.0.len(), y.1, outputs), "room for samples");
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what it is compiled for; the shapes have been checked
            return unsafe { compiled::wide(pass, x, y) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has what it is compiled for; the shapes have been checked
            return unsafe { compiled::middle(pass, x, y) };
        }
    }
    // SAFETY: every processor has single numbers; the shapes have been checked
    unsafe { run::<f32, LINE, 4, 1>(pass, x, y) }
}

/// [`run`] for each instruction set. Of AVX2's 16 registers three rows by two samples take 12 for their sums and three for what
/// is loaded; AVX-512 has 32, and four by four load least for each multiply-add of what has room there.
///
/// # Safety
/// Of each: as [`run`].
#[cfg(target_arch = "x86_64")]
mod compiled {
    use super::{Avx2, Avx512, Pass, Strided, run};

    #[target_feature(enable = "avx512f")]
    pub unsafe fn wide(pass: Pass<'_>, x: Strided<&[f32]>, y: Strided<&mut [f32]>) {
        // SAFETY: the caller's; the instruction set is the function's
        unsafe {
            match pass.samples {
                1 => run::<Avx512, 1, 4, 1>(pass, x, y),
                _ => run::<Avx512, 1, 4, 4>(pass, x, y),
            }
        }
    }

    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn middle(pass: Pass<'_>, x: Strided<&[f32]>, y: Strided<&mut [f32]>) {
        // SAFETY: the caller's; the instruction set is the function's
        unsafe {
            match pass.samples {
                1 => run::<Avx2, 2, 4, 1>(pass, x, y),
                _ => run::<Avx2, 2, 3, 2>(pass, x, y),
            }
        }
    }
}

/// [`affine`] with `PARTS` vectors a line, `ROWS` rows by `SAMPLES` samples at a time.
///
/// # Safety
/// The processor has `V`; the shapes are those of [`affine`].
#[inline(always)]
unsafe fn run<V: Lanes, const PARTS: usize, const ROWS: usize, const SAMPLES: usize>(
    pass: Pass<'_>,
    x: Strided<&[f32]>,
    y: Strided<&mut [f32]>,
) {
    const { assert!(PARTS * V::COUNT == LINE, "the vectors of a line") };
    let (x, y) = ((x.0.as_ptr(), x.1), (y.0.as_mut_ptr(), y.1));
    let mut row = 0;
    // SAFETY: the caller's; no more rows than there are
    unsafe {
        while row + ROWS <= pass.outputs {
            some_rows::<V, PARTS, ROWS, SAMPLES>(pass, row, x, y);
            row += ROWS;
        }
        while row < pass.outputs {
            some_rows::<V, PARTS, 1, SAMPLES>(pass, row, x, y);
            row += 1;
        }
    }
}

/// All samples of `ROWS` rows.
///
/// # Safety
/// As [`run`]; the rows are there.
#[inline(always)]
unsafe fn some_rows<V: Lanes, const PARTS: usize, const ROWS: usize, const SAMPLES: usize>(
    Pass { rows, inputs, samples, .. }: Pass<'_>,
    row: usize,
    x: Strided<*const f32>,
    y: Strided<*mut f32>,
) {
    // SAFETY: the caller's; no more samples than there are
    unsafe {
        let weights = (rows.as_ptr().add(row * inputs), inputs);
        let at = |sample: usize| ((x.0.add(sample * x.1), x.1), (y.0.add(sample * y.1 + row), y.1));
        let mut sample = 0;
        while sample + SAMPLES <= samples {
            let (x, y) = at(sample);
            dot_products::<V, PARTS, ROWS, SAMPLES>(weights, x, y, sample == 0);
            sample += SAMPLES;
        }
        while sample < samples {
            let (x, y) = at(sample);
            dot_products::<V, PARTS, ROWS, 1>(weights, x, y, sample == 0);
            sample += 1;
        }
    }
}

/// `ROWS` rows at `SAMPLES` samples; the first of all samples ask for the rows below.
///
/// # Safety
/// As [`run`]; rows and samples are there.
#[inline(always)]
unsafe fn dot_products<V: Lanes, const PARTS: usize, const ROWS: usize, const SAMPLES: usize>(
    (rows, inputs): (*const f32, usize),
    x: Strided<*const f32>,
    y: Strided<*mut f32>,
    is_first: bool,
) {
    // SAFETY: the caller's
    unsafe {
        let mut sums = [[[V::splat(0.0); PARTS]; SAMPLES]; ROWS];
        for line in (0..inputs).step_by(LINE) {
            for part in 0..PARTS {
                let place = line + part * V::COUNT;
                let x: [V; SAMPLES] = std::array::from_fn(|sample| V::load(x.0.add(sample * x.1 + place)));
                for (row, sums) in sums.iter_mut().enumerate() {
                    let weights = rows.add(row * inputs + place);
                    if is_first && part == 0 {
                        prefetch(weights.wrapping_add(ROWS * inputs));
                    }
                    let weights = V::load(weights);
                    for (sums, x) in sums.iter_mut().zip(x) {
                        sums[part] = weights.mul_add(x, sums[part]);
                    }
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (sample, sums) in sums.iter().enumerate() {
                *y.0.add(sample * y.1 + row) = V::sum_of_line(sums);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::affine;
    #[cfg(target_arch = "x86_64")]
    use super::compiled::{middle, wide};
    use super::{Pass, Strided, run};
    use crate::lanes::LINE;

    /// A product of some instruction set.
    type Affine<'a> = &'a dyn Fn(Pass<'_>, Strided<&[f32]>, Strided<&mut [f32]>);

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919 % 1009) as f32 - 504.0) / 377.0).collect()
    }

    #[test]
    fn it_is_the_product_and_every_instruction_set_gives_the_same_bits() {
        for (outputs, inputs) in [(1, 16), (3, 32), (4, 16), (9, 48), (30, 304)] {
            for samples in [0, 1, 2, 3, 4, 5, 8, 11] {
                // 16 and 3 floats between samples, none after the last
                let (from, to) = (inputs + 16, outputs + 3);
                let room = |stride: usize, len: usize| usize::saturating_sub(samples, 1) * stride + len;
                let (rows, x) = (numbers(outputs * inputs, 1), numbers(room(from, inputs), 5));
                let product = |affine: Affine<'_>| {
                    let mut y = vec![7.0; room(to, outputs)];
                    affine(Pass { rows: &rows, outputs, inputs, samples }, (&x, from), (&mut y, to));
                    y
                };
                let got = product(&affine);
                for (x, y) in x.chunks(from).zip(got.chunks(to)).take(samples) {
                    let mut alone = vec![0.0; outputs];
                    affine(
                        Pass { rows: &rows, outputs, inputs, samples: 1 },
                        (x, from),
                        (&mut alone, outputs),
                    );
                    assert_eq!(y[..outputs], alone);
                    assert!(y[outputs..].iter().all(|&y| y == 7.0), "what lies between samples");
                    for (y, row) in y.iter().zip(rows.chunks_exact(inputs)) {
                        let terms = || row.iter().zip(x).map(|(&w, &x)| f64::from(w) * f64::from(x));
                        let size: f64 = terms().map(f64::abs).sum();
                        // some 20 roundings of 6e-8 along a chain of sums, of terms that are up to `size` together
                        assert!((f64::from(*y) - terms().sum::<f64>()).abs() < 1.2e-6 * size);
                    }
                }
                // SAFETY: the shapes fit; every processor has single numbers
                assert_eq!(product(&|pass, x, y| unsafe { run::<f32, LINE, 2, 3>(pass, x, y) }), got);
                // SAFETY: as above
                assert_eq!(product(&|pass, x, y| unsafe { run::<f32, LINE, 4, 4>(pass, x, y) }), got);
                #[cfg(target_arch = "x86_64")]
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the shapes fit; the processor is asked
                    assert_eq!(product(&|pass, x, y| unsafe { middle(pass, x, y) }), got);
                }
                #[cfg(target_arch = "x86_64")]
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the shapes fit; the processor is asked
                    assert_eq!(product(&|pass, x, y| unsafe { wide(pass, x, y) }), got);
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "shapes of a layer")]
    fn shapes_that_do_not_fit_are_refused() {
        let pass = Pass { rows: &[0.0; 16], outputs: 1, inputs: 15, samples: 1 };
        affine(pass, (&[0.0; 15], 15), (&mut [0.0], 1));
    }

    #[test]
    #[should_panic(expected = "room for samples")]
    fn samples_without_room_are_refused() {
        let pass = Pass { rows: &[0.0; 16], outputs: 1, inputs: 16, samples: 2 };
        affine(pass, (&[0.0; 31], 16), (&mut [0.0; 2], 1));
    }

    #[test]
    #[should_panic(expected = "room for samples")]
    fn outputs_without_room_are_refused() {
        let pass = Pass { rows: &[0.0; 32], outputs: 2, inputs: 16, samples: 2 };
        affine(pass, (&[0.0; 32], 16), (&mut [0.0; 4], 1));
    }
}
