//! Our own product: a block of C stays in registers while its sums are formed, and is finished there.
//!
//! Samples (columns of B and C) are the lanes of a vector; a value of A is spread over all lanes. One step of the inner
//! loop loads some vectors of B and multiplies them with one value of each of the block's rows; of the blocks that fill
//! the registers, one that is nearly square loads least. A is never copied: the networks here fit the second-level
//! cache. B is where its rows are not contiguous, as in the gradient of a weight: a panel of its columns is turned over
//! just before all rows of A pass it. What a block will read and write at its end, and the rows of A that come next, are
//! asked for while its sums are formed: all networks of a learner together are larger than the second-level cache, so
//! each meets a product after it has been away.
//!
//! Every element of C is one chain of fused multiply-adds in the order of the inner index, whatever the block and the
//! vector: so all instruction sets, and any split of C over threads, give the same bits.

use std::mem::MaybeUninit;

use super::{Finish, Start};
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LINE, Lanes, prefetch};
use crate::learner::kernel::transpose::tiles;

/// Pointers and strides of one product; both factors have contiguous rows or contiguous columns.
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
    pub b_row_stride: usize,
    /// From column to column.
    pub b_column_stride: usize,
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
        let has_avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        // some environments' observations: they fill half of a wide vector, and more rows keep the units busy
        if has_avx2 && job.columns <= Avx2::COUNT {
            // SAFETY: the caller's; the processor has what it is compiled for
            return unsafe { compiled::few(job) };
        }
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the caller's; the processor has what it is compiled for
            return unsafe { compiled::wide(job) };
        }
        if has_avx2 {
            // SAFETY: the caller's; the processor has what it is compiled for
            return unsafe { compiled::middle(job) };
        }
    }
    // SAFETY: the caller's
    unsafe { run::<f32, 4, 4>(job) }
}

/// [`run`] for each instruction set, in blocks that fill its registers.
///
/// # Safety
/// Of each: as [`multiply`]; the processor has the instruction set.
#[cfg(target_arch = "x86_64")]
mod compiled {
    use super::{Avx2, Avx512, Job, run};

    #[target_feature(enable = "avx512f")]
    pub unsafe fn wide(job: &Job) {
        // SAFETY: the caller's; the instruction set is the function's
        unsafe { run::<Avx512, 6, 4>(job) }
    }

    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn middle(job: &Job) {
        // SAFETY: the caller's; the instruction set is the function's
        unsafe { run::<Avx2, 6, 2>(job) }
    }

    #[target_feature(enable = "avx2,fma")]
    pub unsafe fn few(job: &Job) {
        // SAFETY: the caller's; the instruction set is the function's
        unsafe { run::<Avx2, 12, 1>(job) }
    }
}

/// Rows of a panel of B that are turned over at once, and most columns of one: 64 KB.
const DEPTH: usize = 256;
const WIDTH: usize = 64;

/// Most rows, and most values, of a B that stays in the first-level cache as a whole: 18 KB.
const SHALLOW: usize = 36;
const SMALL: usize = SHALLOW * 128;

/// A panel of B with contiguous rows.
#[repr(align(64))]
struct Panel([MaybeUninit<f32>; DEPTH * WIDTH]);

/// The product, its blocks of `M` rows by `N` vectors.
///
/// # Safety
/// As [`multiply`]; the processor has `V`.
#[inline(always)]
unsafe fn run<V: Lanes, const M: usize, const N: usize>(job: &Job) {
    if job.b_column_stride == 1 {
        // SAFETY: the caller's
        return unsafe { run_rows::<V, M, N>(job) };
    }
    let width = const {
        assert!(N * V::COUNT <= WIDTH, "a panel has room for the columns of a block");
        N * V::COUNT
    };
    let mut panel = Panel([MaybeUninit::uninit(); DEPTH * WIDTH]);
    let panel = panel.0.as_mut_ptr().cast::<f32>();
    for first in (0..job.inner).step_by(DEPTH) {
        let inner = DEPTH.min(job.inner - first);
        for column in (0..job.columns).step_by(width) {
            let columns = width.min(job.columns - column);
            // SAFETY: the caller's; the panel has room for `inner` rows of `width`, and is written where it is read
            unsafe {
                let from = job.b.add(column * job.b_column_stride + first);
                tiles::<V>((from, job.b_column_stride), (panel, width), (columns, inner));
                run_rows::<V, M, N>(&Job {
                    columns,
                    inner,
                    a: job.a.add(first * job.a_column_stride),
                    b: panel,
                    b_row_stride: width,
                    b_column_stride: 1,
                    c: job.c.add(column),
                    start: if first == 0 { job.start } else { Start::Present },
                    finish: match job.finish {
                        _ if first + inner < job.inner => Finish::Store,
                        Finish::Gate(gate) => Finish::Gate(gate.add(column)),
                        finish => finish,
                    },
                    ..*job
                });
            }
        }
    }
}

/// A product whose B has contiguous rows: blocks of `M` rows by `N` vectors, which fill the registers, then what is left
/// of the rows.
///
/// # Safety
/// As [`run`].
#[inline(always)]
unsafe fn run_rows<V: Lanes, const M: usize, const N: usize>(job: &Job) {
    let whole = job.rows - job.rows % M;
    // SAFETY: the caller's; every element of C is visited once
    unsafe {
        if job.inner <= SHALLOW && job.inner * job.columns <= SMALL {
            // all of B stays in the first-level cache: C is written row by row
            for row in (0..whole).step_by(M) {
                strip::<V, M, N>(job, row);
            }
        } else {
            // a panel of B stays near while all rows of A pass
            let mut column = 0;
            while column + N * V::COUNT <= job.columns {
                for row in (0..whole).step_by(M) {
                    block::<V, M, N, false>(job, row, column);
                }
                column += N * V::COUNT;
            }
            for row in (0..whole).step_by(M) {
                edge::<V, M, N>(job, row, column);
            }
        }
        // fewer rows: more vectors beside each other keep as many sums under way
        let rest = job.rows - whole;
        match rest {
            1 => strip::<V, 1, 8>(job, whole),
            2 => strip::<V, 2, 4>(job, whole),
            3 => strip::<V, 3, 4>(job, whole),
            4 => strip::<V, 4, 2>(job, whole),
            5 => strip::<V, 5, 2>(job, whole),
            6 => strip::<V, 6, 2>(job, whole),
            7 => strip::<V, 7, 2>(job, whole),
            8 => strip::<V, 8, 2>(job, whole),
            9 => strip::<V, 9, 2>(job, whole),
            10 => strip::<V, 10, 2>(job, whole),
            11 => strip::<V, 11, 2>(job, whole),
            _ => {}
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
            block::<V, M, N, false>(job, row, column);
            column += N * V::COUNT;
        }
        edge::<V, M, N>(job, row, column);
    }
}

/// The last columns of `M` rows, fewer than `N` vectors: all of them beside each other, four at most.
///
/// # Safety
/// As [`run`].
#[inline(always)]
unsafe fn edge<V: Lanes, const M: usize, const N: usize>(job: &Job, row: usize, mut column: usize) {
    // SAFETY: the caller's
    unsafe {
        if N > 4 && column + 4 * V::COUNT <= job.columns {
            block::<V, M, 4, false>(job, row, column);
            column += 4 * V::COUNT;
        }
        match (job.columns - column).div_ceil(V::COUNT) {
            1 => block::<V, M, 1, true>(job, row, column),
            2 if N > 1 => block::<V, M, 2, true>(job, row, column),
            3 if N > 2 => block::<V, M, 3, true>(job, row, column),
            4 if N > 3 => block::<V, M, 4, true>(job, row, column),
            _ => {}
        }
    }
}

/// A block of `M` rows by `N` vectors. With `PART`, as many lanes of the last vector lie in C as it has columns left.
///
/// # Safety
/// As [`run`]; the block lies in C.
#[inline(always)]
unsafe fn block<V: Lanes, const M: usize, const N: usize, const PART: bool>(
    job: &Job,
    row: usize,
    column: usize,
) {
    let last = job.columns - (column + (N - 1) * V::COUNT);
    // SAFETY: the caller's
    unsafe {
        let load = |from: *const f32| -> [V; N] {
            std::array::from_fn(|v| {
                let from = from.add(v * V::COUNT);
                if PART && v + 1 == N { V::load_part(from, last) } else { V::load(from) }
            })
        };
        let c = job.c.add(row * job.c_stride + column);
        let mut sums = [[V::splat(0.0); N]; M];
        if job.start == Start::Present {
            for (i, sums) in sums.iter_mut().enumerate() {
                *sums = load(c.add(i * job.c_stride));
            }
        }
        // few sums leave no time to wait in
        if job.inner > SHALLOW {
            prefetch_block::<V, M, N>(job, row, column);
        }
        accumulate(job, row, job.b.add(column), &mut sums, load);
        for (i, sums) in sums.into_iter().enumerate() {
            let sums = match job.finish {
                Finish::Store => sums,
                Finish::Relu => sums.map(|sum| sum.relu()),
                Finish::Gate(gate) => {
                    let gates = load(gate.add((row + i) * job.gate_stride + column));
                    std::array::from_fn(|v| sums[v].where_positive(gates[v]))
                }
            };
            for (v, sum) in sums.into_iter().enumerate() {
                let to = c.add(i * job.c_stride + v * V::COUNT);
                if PART && v + 1 == N { sum.store_part(to, last) } else { sum.store(to) }
            }
        }
    }
}

/// Asks for what a block of C meets after its sums: its place, and its gate.
#[inline(always)]
fn prefetch_block<V: Lanes, const M: usize, const N: usize>(job: &Job, row: usize, column: usize) {
    for i in row..row + M {
        for lane in (column..column + N * V::COUNT).step_by(LINE) {
            if let Finish::Gate(gate) = job.finish {
                prefetch(gate.wrapping_add(i * job.gate_stride + lane));
            }
            prefetch(job.c.wrapping_add(i * job.c_stride + lane));
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
                // after the last they point beyond the matrix, to be read no more
                a = a.wrapping_add(job.a_column_stride);
                b = b.wrapping_add(job.b_row_stride);
            }
        } else {
            // rows are streams of their own; every third has a pointer, which with one stride addresses them all
            // beside them run those of the block below
            let mut streams: [*const f32; 4] =
                std::array::from_fn(|g| a.wrapping_add(3 * g * job.a_row_stride));
            for k in 0..job.inner {
                if k % LINE == 0 {
                    for i in 0..M {
                        prefetch(streams[i / 3].wrapping_add((i % 3 + M) * job.a_row_stride));
                    }
                }
                let columns = load(b);
                for (i, sums) in sums.iter_mut().enumerate() {
                    let value = V::splat(*streams[i / 3].add(i % 3 * job.a_row_stride));
                    for (sum, column) in sums.iter_mut().zip(columns) {
                        *sum = value.mul_add(column, *sum);
                    }
                }
                streams = streams.map(|stream| stream.wrapping_add(job.a_column_stride));
                b = b.wrapping_add(job.b_row_stride);
            }
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::compiled::{few, middle, wide};
    use super::{Finish, Job, Start, run};

    /// What `run` makes of one product of numbers that round, its factors as they are or turned over.
    fn product(
        run: unsafe fn(&Job),
        (rows, inner, columns): (usize, usize, usize),
        [is_a_turned, is_b_turned]: [bool; 2],
    ) -> Vec<f32> {
        let number = |i: usize| ((i * 7919 % 1009) as f32 - 504.0) / 377.0;
        let numbers = |count: usize, seed: usize| (0..count).map(|i| number(i + seed)).collect::<Vec<f32>>();
        let strides = |is_turned, rows, columns| if is_turned { (1, rows) } else { (columns, 1) };
        let (a, b) = (numbers(rows * inner, 0), numbers(inner * columns, 5));
        let (gate, mut c) = (numbers(rows * columns, 9), numbers(rows * columns, 2));
        let (a_row_stride, a_column_stride) = strides(is_a_turned, rows, inner);
        let (b_row_stride, b_column_stride) = strides(is_b_turned, inner, columns);
        let job = Job {
            rows,
            columns,
            inner,
            a: a.as_ptr(),
            a_row_stride,
            a_column_stride,
            b: b.as_ptr(),
            b_row_stride,
            b_column_stride,
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
        // what is left of rows: none to five; of columns: none, parts of one to four vectors, whole ones
        let left = [(1, 128, 301), (14, 41, 349), (9, 50, 112), (10, 37, 16), (11, 40, 60), (12, 77, 63)];
        let others = [(25, 301, 128), (12, 77, 33), (7, 9, 5), (34, 20, 40), (25, 30, 200), (13, 600, 45)];
        for shape in left.into_iter().chain(others) {
            for turned in [[false, false], [true, false], [false, true], [true, true]] {
                let expected = product(run::<f32, 4, 4>, shape, turned);
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    assert_eq!(product(middle, shape, turned), expected);
                    assert_eq!(product(few, shape, turned), expected);
                }
                if is_x86_feature_detected!("avx512f") {
                    assert_eq!(product(wide, shape, turned), expected);
                }
            }
        }
    }
}
