//! Sample-major rows, as a replay buffer has them, transposed to feature-major ones: in registers, a vector each way at
//! a time, so that a line of either side is met once or twice.

#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LINE, Lanes};

/// `to[f * stride + s] = samples[s * width + f]`: one row of `to` for each of `width` features, `stride` floats apart.
/// What a row has beyond its samples, up to a whole line, is lost.
pub fn transpose((to, stride): (&mut [f32], usize), (samples, width): (&[f32], usize)) {
    let row = (samples.len() / width).next_multiple_of(LINE);
    assert!(samples.len().is_multiple_of(width) && row <= stride, "rows of samples");
    assert!(to.len() >= (width - 1) * stride + row, "room for samples");
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what it is compiled for; the shapes have been checked
            return unsafe { compiled::wide((to, stride), (samples, width)) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has what it is compiled for; the shapes have been checked
            return unsafe { compiled::middle((to, stride), (samples, width)) };
        }
    }
    // SAFETY: every processor has single numbers; the shapes have been checked
    unsafe { run::<f32>((to, stride), (samples, width)) }
}

/// [`run`] for each instruction set.
///
/// # Safety
/// Of each: as [`run`].
#[cfg(target_arch = "x86_64")]
mod compiled {
    use super::{Avx2, Avx512, run};

    #[target_feature(enable = "avx512f")]
    pub unsafe fn wide(to: (&mut [f32], usize), samples: (&[f32], usize)) {
        // SAFETY: the caller's; the instruction set is the function's
        unsafe { run::<Avx512>(to, samples) }
    }

    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn middle(to: (&mut [f32], usize), samples: (&[f32], usize)) {
        // SAFETY: the caller's; the instruction set is the function's
        unsafe { run::<Avx2>(to, samples) }
    }
}

/// [`transpose`] on `V`.
///
/// # Safety
/// The processor has `V`; the shapes are those of [`transpose`].
#[inline(always)]
unsafe fn run<V: Lanes>((to, stride): (&mut [f32], usize), (samples, width): (&[f32], usize)) {
    let n = samples.len() / width;
    // SAFETY: the caller's; a vector that begins in a row ends in it, since rows have whole lines
    unsafe { tiles::<V>((samples.as_ptr(), width), (to.as_mut_ptr(), stride), (n, width)) }
}

/// `to[column * to_stride + row] = from[row * from_stride + column]`, a vector's values each way at a time. What a row of `to` has
/// beyond its `rows`, up to a whole vector, is lost.
///
/// # Safety
/// The processor has `V`; `from` has `rows` of `columns` values, `to` has `columns` of `rows` values, up to a whole vector.
#[inline(always)]
pub unsafe fn tiles<V: Lanes>(
    (from, from_stride): (*const f32, usize),
    (to, to_stride): (*mut f32, usize),
    (rows, columns): (usize, usize),
) {
    // one vector of rows after the other: what is written of a row of `to` is whole vectors
    for row in (0..rows).step_by(V::COUNT) {
        let height = V::COUNT.min(rows - row);
        let block = |column: usize, size: (usize, usize)| {
            // SAFETY: the caller's
            unsafe {
                let from = from.add(row * from_stride + column);
                V::transpose((from, from_stride), (to.add(column * to_stride + row), to_stride), size);
            }
        };
        let mut column = 0;
        // what is whole is told to the compiler
        while height == V::COUNT && columns - column >= V::COUNT {
            block(column, (V::COUNT, V::COUNT));
            column += V::COUNT;
        }
        while column < columns {
            block(column, (height, V::COUNT.min(columns - column)));
            column += V::COUNT;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{run, transpose};
    use crate::lanes::LINE;

    /// What turns rows over.
    type Turn<'a> = &'a dyn Fn((&mut [f32], usize), (&[f32], usize));

    #[test]
    fn every_instruction_set_turns_rows_over_and_leaves_what_lies_between() {
        for (n, width) in [(1_usize, 1), (7, 5), (16, 16), (33, 17), (40, 35), (128, 348)] {
            let samples: Vec<f32> = (0..n * width).map(|x| x as f32 + 1.0).collect();
            let row = n.next_multiple_of(LINE);
            let check = |turn: Turn<'_>| {
                let mut to = vec![-1.0; width * (row + LINE)];
                turn((&mut to, row + LINE), (&samples, width));
                for (feature, got) in to.chunks_exact(row + LINE).enumerate() {
                    assert!(got[..n].iter().eq(samples[feature..].iter().step_by(width)));
                    assert_eq!(got[row..], [-1.0; LINE]);
                }
            };
            check(&transpose);
            // SAFETY: the shapes fit; every processor has single numbers
            check(&|to, samples| unsafe { run::<f32>(to, samples) });
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                // SAFETY: as above; the processor is asked
                check(&|to, samples| unsafe { super::compiled::middle(to, samples) });
            }
        }
    }

    #[test]
    #[should_panic(expected = "room for samples")]
    fn rows_without_room_are_refused() {
        transpose((&mut [0.0; 31], 16), (&[0.0; 32], 2));
    }
}
