//! Our own product: a block of C stays in registers while its sums are formed, and is finished there.
//!
//! Samples (columns of B and C) are the lanes of a vector; a value of A is spread over all lanes. One step of the inner
//! loop loads two vectors of B and multiplies them with one value of each of the block's rows. Neither factor is
//! packed: the networks here fit the second-level cache, and a row of B is contiguous.
//!
//! Every element of C is one chain of fused multiply-adds in the order of the inner index, whatever the block and the
//! vector: so all instruction sets, and any split of C over threads, give the same bits.

use super::lanes::Lanes;
#[cfg(target_arch = "x86_64")]
use super::lanes::{Avx2, Avx512};
use super::{Finish, Start};

/// Pointers and strides of one product; `a` has contiguous rows or contiguous columns, `b` contiguous rows.
#[derive(Clone, Copy)]
pub struct Job {
    /// Rows of C and A.
    pub rows: usize,
    /// Columns of C and B.
    pub columns: usize,
    /// Columns of A, rows of B.
    pub inner: usize,
    /// A and its strides.
    pub a: *const f32,
    /// From row to row.
    pub a_row_stride: usize,
    /// From column to column.
    pub a_column_stride: usize,
    /// B.
    pub b: *const f32,
    /// From row to row.
    pub b_stride: usize,
    /// C.
    pub c: *mut f32,
    /// From row to row.
    pub c_stride: usize,
    /// What the sums start from.
    pub start: Start,
    /// What happens to them before they are stored.
    pub finish: Finish<*const f32>,
    /// From row to row of the gate.
    pub gate_stride: usize,
}

/// Computes a product with the best instructions that the processor has.
///
/// # Safety
/// The pointers are good for what the shapes and strides say, C for writing, and C overlaps nothing else.
pub unsafe fn multiply(job: &Job) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f")]
        unsafe fn wide(job: &Job) {
            // SAFETY: the caller's; the instruction set is the function's
            unsafe { run::<Avx512, 12, 2>(job) }
        }
        #[target_feature(enable = "avx2,fma")]
        unsafe fn middle(job: &Job) {
            // SAFETY: the caller's; the instruction set is the function's
            unsafe { run::<Avx2, 6, 2>(job) }
        }
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the caller's; the processor has what `wide` is compiled for
            return unsafe { wide(job) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the caller's; the processor has what `middle` is compiled for
            return unsafe { middle(job) };
        }
    }
    // SAFETY: the caller's
    unsafe { run::<f32, 4, 4>(job) }
}

/// Blocks of `M` rows by `N` vectors, which fill the registers, then what is left of the rows.
///
/// # Safety
/// As [`multiply`]; the processor has `V`.
#[inline(always)]
unsafe fn run<V: Lanes, const M: usize, const N: usize>(job: &Job) {
    let whole = job.rows - job.rows % M;
    // SAFETY: the caller's; every element of C is visited once
    unsafe {
        // a panel of B stays in the first-level cache while all rows of A pass
        let mut column = 0;
        while column + N * V::COUNT <= job.columns {
            for row in (0..whole).step_by(M) {
                block::<V, M, N>(job, row, column);
            }
            column += N * V::COUNT;
        }
        for row in (0..whole).step_by(M) {
            narrow::<V, M>(job, row, column);
        }
        // a few rows: more vectors beside each other keep as many sums under way
        let mut row = whole;
        if job.rows - row >= 8 {
            strip::<V, 8, 2>(job, row);
            row += 8;
        }
        while job.rows - row >= 4 {
            strip::<V, 4, 2>(job, row);
            row += 4;
        }
        if job.rows - row >= 2 {
            strip::<V, 2, 4>(job, row);
            row += 2;
        }
        if job.rows - row == 1 {
            strip::<V, 1, 8>(job, row);
        }
    }
}

/// All columns of `M` rows, `N` vectors at a time.
///
/// # Safety
/// As [`run`].
#[inline(always)]
unsafe fn strip<V: Lanes, const M: usize, const N: usize>(job: &Job, row: usize) {
    let mut column = 0;
    // SAFETY: the caller's
    unsafe {
        while column + N * V::COUNT <= job.columns {
            block::<V, M, N>(job, row, column);
            column += N * V::COUNT;
        }
        narrow::<V, M>(job, row, column);
    }
}

/// The last columns of `M` rows: whole vectors one at a time, then a part of one.
///
/// # Safety
/// As [`run`].
#[inline(always)]
unsafe fn narrow<V: Lanes, const M: usize>(job: &Job, row: usize, mut column: usize) {
    // SAFETY: the caller's
    unsafe {
        while column + V::COUNT <= job.columns {
            block::<V, M, 1>(job, row, column);
            column += V::COUNT;
        }
        if column < job.columns {
            part::<V, M>(job, row, column, job.columns - column);
        }
    }
}

/// A block of whole vectors.
///
/// # Safety
/// As [`run`]; the block lies in C.
#[inline(always)]
unsafe fn block<V: Lanes, const M: usize, const N: usize>(job: &Job, row: usize, column: usize) {
    // SAFETY: the caller's
    unsafe {
        let c = job.c.add(row * job.c_stride + column);
        let mut sums = [[V::splat(0.0); N]; M];
        if job.start == Start::Present {
            for (i, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = V::load(c.add(i * job.c_stride + v * V::COUNT));
                }
            }
        }
        let load = |b: *const f32| std::array::from_fn(|v| V::load(b.add(v * V::COUNT)));
        accumulate(job, row, job.b.add(column), &mut sums, load);
        for (i, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                let at = v * V::COUNT;
                let sum = match job.finish {
                    Finish::Store => sum,
                    Finish::Relu => sum.relu(),
                    Finish::Gate(gate) => {
                        sum.where_positive(V::load(gate.add((row + i) * job.gate_stride + column + at)))
                    }
                };
                sum.store(c.add(i * job.c_stride + at));
            }
        }
    }
}

/// A block of one vector of which `count` lanes lie in C.
///
/// # Safety
/// As [`run`]; `count` is less than a vector has.
#[inline(always)]
unsafe fn part<V: Lanes, const M: usize>(job: &Job, row: usize, column: usize, count: usize) {
    // SAFETY: the caller's
    unsafe {
        let c = job.c.add(row * job.c_stride + column);
        let mut sums = [[V::splat(0.0); 1]; M];
        if job.start == Start::Present {
            for (i, [sum]) in sums.iter_mut().enumerate() {
                *sum = V::load_part(c.add(i * job.c_stride), count);
            }
        }
        accumulate(job, row, job.b.add(column), &mut sums, |b| [V::load_part(b, count)]);
        for (i, [sum]) in sums.into_iter().enumerate() {
            let sum = match job.finish {
                Finish::Store => sum,
                Finish::Relu => sum.relu(),
                Finish::Gate(gate) => {
                    let gate = gate.add((row + i) * job.gate_stride + column);
                    sum.where_positive(V::load_part(gate, count))
                }
            };
            sum.store_part(c.add(i * job.c_stride), count);
        }
    }
}

/// Adds A's rows from `row` on times B's columns at `b` to the block.
///
/// # Safety
/// As [`run`]; `load` reads a row of the block's columns.
#[inline(always)]
unsafe fn accumulate<V: Lanes, const M: usize, const N: usize>(
    job: &Job,
    row: usize,
    mut b: *const f32,
    sums: &mut [[V; N]; M],
    load: impl Fn(*const f32) -> [V; N],
) {
    // SAFETY: the caller's
    unsafe {
        let mut a = job.a.add(row * job.a_row_stride);
        if job.a_row_stride == 1 {
            for _ in 0..job.inner {
                let columns = load(b);
                for (i, sums) in sums.iter_mut().enumerate() {
                    let value = V::splat(*a.add(i));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = value.mul_add(column, *sum);
                    }
                }
                a = a.add(job.a_column_stride);
                b = b.add(job.b_stride);
            }
        } else {
            // rows are streams of their own; every third has a pointer, which with one stride addresses them all
            let mut streams: [*const f32; 4] =
                std::array::from_fn(|g| a.wrapping_add(3 * g * job.a_row_stride));
            for _ in 0..job.inner {
                let columns = load(b);
                for (i, sums) in sums.iter_mut().enumerate() {
                    let value = V::splat(*streams[i / 3].add(i % 3 * job.a_row_stride));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = value.mul_add(column, *sum);
                    }
                }
                streams = streams.map(|stream| stream.wrapping_add(job.a_column_stride));
                b = b.add(job.b_stride);
            }
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::{Avx2, Avx512, Finish, Job, Start, run};

    #[target_feature(enable = "avx512f")]
    unsafe fn wide(job: &Job) {
        // SAFETY: the caller's
        unsafe { run::<Avx512, 12, 2>(job) }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn middle(job: &Job) {
        // SAFETY: the caller's
        unsafe { run::<Avx2, 6, 2>(job) }
    }

    /// What `run` makes of one product of numbers that round.
    fn product(
        run: unsafe fn(&Job),
        (rows, inner, columns): (usize, usize, usize),
        is_turned: bool,
    ) -> Vec<f32> {
        let number = |i: usize| ((i * 7919 % 1009) as f32 - 504.0) / 377.0;
        let a: Vec<f32> = (0..rows * inner).map(number).collect();
        let b: Vec<f32> = (0..inner * columns).map(|i| number(i + 5)).collect();
        let gate: Vec<f32> = (0..rows * columns).map(|i| number(i + 9)).collect();
        let mut c: Vec<f32> = (0..rows * columns).map(|i| number(i + 2)).collect();
        let job = Job {
            rows,
            columns,
            inner,
            a: a.as_ptr(),
            a_row_stride: if is_turned { 1 } else { inner },
            a_column_stride: if is_turned { rows } else { 1 },
            b: b.as_ptr(),
            b_stride: columns,
            c: c.as_mut_ptr(),
            c_stride: columns,
            start: Start::Present,
            finish: Finish::Gate(gate.as_ptr()),
            gate_stride: columns,
        };
        // SAFETY: the vectors have the shapes; the caller asked the processor
        unsafe { run(&job) };
        c
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        for shape in [(25, 301, 128), (12, 77, 33), (7, 9, 5), (34, 20, 40)] {
            for is_turned in [false, true] {
                let expected = product(run::<f32, 4, 4>, shape, is_turned);
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    assert_eq!(product(middle, shape, is_turned), expected);
                }
                if is_x86_feature_detected!("avx512f") {
                    assert_eq!(product(wide, shape, is_turned), expected);
                }
            }
        }
    }
}
