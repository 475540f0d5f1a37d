//! Our own product, in [`Blocks`] of C that stay in registers while their sums are formed and are finished there: which
//! blocks, in which order, and from which memory.
//!
//! The columns of B that a block reads are copied to one piece of memory before all rows of A pass them, where many do: a
//! few addresses reach all of it, and little is to be done beside the multiply-adds, which counts all the more where another
//! thread has a share of the core. Where B's columns are contiguous, as in the gradient of a weight, they are copied however
//! few the rows of A. A never is: the networks here fit the second-level cache.
//!
//! Where a factor is known to have many zeros, [`lists`] of what is not may be faster.
//!
//! Every element of C is one chain of fused multiply-adds in the order of the inner index, whatever the block and the
//! vector: so all instruction sets, and any split of C over threads, give the same bits (of finite numbers: [`lists`]).

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::blocks::{Blocks, DEPTH, Job};
use super::lists::{self, Widest};
use super::zeros::Known;
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{Lanes, Task};

/// Computes a product with the best instructions that the processor has; `known` is where it may have zeros to leave out.
///
/// # Safety
/// The pointers are good for what the shapes and strides say, C for writing, and C overlaps nothing else. What has zeros is
/// contiguous as [`lists::multiply`] wants it.
pub unsafe fn multiply(job: &Job, known: Option<Known>) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the caller's; the processor has the instructions
            return unsafe {
                match known {
                    Some(known) => lists::multiply::<Avx512>(job, known, Widest::here(), run::<Avx512, 6, 4>),
                    None => run::<Avx512, 6, 4>(job),
                }
            };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the caller's; the processor has the instructions
            return unsafe {
                match known {
                    Some(known) => lists::multiply::<Avx2>(job, known, Widest::here(), run::<Avx2, 6, 2>),
                    None => run::<Avx2, 6, 2>(job),
                }
            };
        }
    }
    // SAFETY: the caller's
    unsafe { run::<f32, 4, 4>(job) }
}

/// Most columns of a panel.
const WIDTH: usize = 64;

/// Most rows of a panel that A's columns pass: of a line of them a block takes a few values, and the next finds it near.
const DEPTH_OF_COLUMNS: usize = 160;

/// Blocks of rows that are worth a copy of B whose rows are contiguous as they lie.
const MANY: usize = 8;

/// Most values of a B that stays in the first-level cache as it lies: 18 KB.
const SMALL: usize = 36 * 128;

/// Rows of a block of one vector: as many sums as keep the units busy.
const TALL: usize = 8;

/// A copy of some columns of B, row by row.
#[repr(align(64))]
struct Panel([MaybeUninit<f32>; DEPTH * WIDTH]);

/// The product, its blocks of `M` rows by `N` vectors, which fill the registers.
///
/// # Safety
/// As [`multiply`]; the processor has `V`.
unsafe fn run<V: Lanes, const M: usize, const N: usize>(job: &Job) {
    let is_turned = job.b_column_stride != 1;
    let is_small = job.inner * job.columns <= SMALL;
    // SAFETY: the caller's
    unsafe {
        if job.inner == 0 || !is_turned && (is_small || job.rows < MANY * M) {
            in_place::<V, M, N>(job);
        } else {
            V::apart(Copied::<V, M, N> { job, lanes: PhantomData });
        }
    }
}

/// A product on copies of B.
struct Copied<'a, V, const M: usize, const N: usize> {
    job: &'a Job,
    lanes: PhantomData<V>,
}

impl<V: Lanes, const M: usize, const N: usize> Task for Copied<'_, V, M, N> {
    #[inline(always)]
    unsafe fn run(self) {
        const { assert!(N * V::COUNT <= WIDTH, "a panel has room for the columns of a block") }
        let job = self.job;
        let mut panel = Panel([MaybeUninit::uninit(); DEPTH * WIDTH]);
        let panel = panel.0.as_mut_ptr().cast::<f32>();
        let most = if job.a_row_stride == 1 { DEPTH_OF_COLUMNS } else { DEPTH };
        let depth = job.inner.div_ceil(job.inner.div_ceil(most));
        for first in (0..job.inner).step_by(depth) {
            let part = job.part(first..job.inner.min(first + depth));
            // SAFETY: the caller's; the panel has room for the part's inner indices
            unsafe {
                if job.rows >= M {
                    in_panels::<V, M, N>(&part, panel);
                    continue;
                }
                // fewer rows than a block has: more columns beside each other keep as many sums under way
                for column in (0..job.columns).step_by(WIDTH) {
                    let some = part.columns(column..job.columns.min(column + WIDTH));
                    in_place::<V, M, N>(&some.on::<V>(panel, WIDTH));
                }
            }
        }
    }
}

/// A product that reads B where it lies, its rows contiguous.
///
/// # Safety
/// As [`run`].
unsafe fn in_place<V: Lanes, const M: usize, const N: usize>(job: &Job) {
    let rows = 0..job.rows - job.rows % M;
    let whole = job.columns - job.columns % (N * V::COUNT);
    // where all of B is near, C is written row by row; else some columns of B are near while all rows of A pass them
    let width = if job.inner * job.columns <= SMALL { whole } else { N * V::COUNT };
    let mut row = rows.end;
    // SAFETY: the caller's; every element of C is visited once
    unsafe {
        for column in (0..whole).step_by(width.max(1)) {
            Blocks::<V, M, N, false, false>::of(job, rows.clone(), column..column + width).compute();
        }
        last_columns::<V, M, N>(job, rows, whole);
        // fewer rows: more vectors beside each other keep as many sums under way
        if M > 4 && job.rows - row >= 4 {
            strip::<V, 4, 2>(job, row);
            row += 4;
        }
        if job.rows - row >= 2 {
            strip::<V, 2, 4>(job, row);
            row += 2;
        }
        if job.rows > row {
            strip::<V, 1, 8>(job, row);
        }
    }
}

/// All columns of `M` rows, `N` vectors at a time.
///
/// # Safety
/// As [`run`].
unsafe fn strip<V: Lanes, const M: usize, const N: usize>(job: &Job, row: usize) {
    let whole = job.columns - job.columns % (N * V::COUNT);
    // SAFETY: the caller's
    unsafe {
        Blocks::<V, M, N, false, false>::of(job, row..row + M, 0..whole).compute();
        last_columns::<V, M, N>(job, row..row + M, whole);
    }
}

/// The last columns of some rows, fewer than `N` vectors: all of them beside each other, four at most.
///
/// # Safety
/// As [`run`].
unsafe fn last_columns<V: Lanes, const M: usize, const N: usize>(
    job: &Job,
    rows: Range<usize>,
    mut column: usize,
) {
    // SAFETY: the caller's
    unsafe {
        if N > 4 && column + 4 * V::COUNT <= job.columns {
            let columns = column..column + 4 * V::COUNT;
            column = columns.end;
            Blocks::<V, M, 4, false, false>::of(job, rows.clone(), columns).compute();
        }
        let columns = column..job.columns;
        match columns.len().div_ceil(V::COUNT) {
            1 => Blocks::<V, M, 1, true, false>::of(job, rows, columns).compute(),
            2 => Blocks::<V, M, 2, true, false>::of(job, rows, columns).compute(),
            3 if N > 2 => Blocks::<V, M, 3, true, false>::of(job, rows, columns).compute(),
            4 if N > 3 => Blocks::<V, M, 4, true, false>::of(job, rows, columns).compute(),
            _ => {}
        }
    }
}

/// A product on copies of B's columns, as many at a time as a block has.
///
/// # Safety
/// As [`run`]; the panel has room for the job's inner indices.
#[inline(always)]
unsafe fn in_panels<V: Lanes, const M: usize, const N: usize>(job: &Job, panel: *mut f32) {
    let width = N * V::COUNT;
    let whole = job.columns - job.columns % width;
    // SAFETY: the caller's
    unsafe {
        for column in (0..whole).step_by(width) {
            in_panel::<V, M, N, false>(&job.columns(column..column + width), panel);
        }
        let last = job.columns(whole..job.columns);
        match last.columns.div_ceil(V::COUNT) {
            1 => in_panel::<V, TALL, 1, true>(&last, panel),
            2 => in_panel::<V, M, 2, true>(&last, panel),
            3 if N > 2 => in_panel::<V, M, 3, true>(&last, panel),
            4 if N > 3 => in_panel::<V, M, 4, true>(&last, panel),
            _ => {}
        }
    }
}

/// A product that is as wide as a block.
///
/// # Safety
/// As [`in_panels`].
#[inline(always)]
unsafe fn in_panel<V: Lanes, const M: usize, const N: usize, const PART: bool>(job: &Job, panel: *mut f32) {
    // SAFETY: the caller's
    unsafe {
        let job = &job.on::<V>(panel, N * V::COUNT);
        let (mut row, columns) = (job.rows - job.rows % M, 0..job.columns);
        Blocks::<V, M, N, PART, true>::of(job, 0..row, columns.clone()).compute();
        if M > 4 && job.rows - row >= 4 {
            Blocks::<V, 4, N, PART, true>::of(job, row..row + 4, columns.clone()).compute();
            row += 4;
        }
        if job.rows - row >= 2 {
            Blocks::<V, 2, N, PART, true>::of(job, row..row + 2, columns.clone()).compute();
            row += 2;
        }
        if job.rows > row {
            Blocks::<V, 1, N, PART, true>::of(job, row..row + 1, columns).compute();
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::super::lists;
    use super::super::lists::Widest;
    use super::super::zeros::{Known, Sparse};
    use super::super::{Finish, Start};
    use super::{Job, run};
    use crate::lanes::{Avx2, Avx512, Lanes};

    /// Makes so many numbers from a seed.
    type Numbers = fn(usize, usize) -> Vec<f32>;

    /// Numbers that round.
    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919 % 1009) as f32 - 504.0) / 377.0).collect()
    }

    /// [`numbers`], two of three of them zero.
    fn thin_numbers(count: usize, seed: usize) -> Vec<f32> {
        let mut numbers = numbers(count, seed);
        let zeros = (0..count).filter(|i| (i + seed) * 6007 % 997 > 332);
        zeros.for_each(|i| numbers[i] = 0.0);
        numbers
    }

    /// Floats between two rows of every matrix.
    const GAP: usize = 3;

    /// A matrix of some rows and columns in numbers, row by row or, turned over, column by column, with its strides.
    struct Stored {
        values: Vec<f32>,
        row_stride: usize,
        column_stride: usize,
    }

    impl Stored {
        fn new(numbers: Numbers, seed: usize, size: (usize, usize), is_turned: bool) -> Self {
            let (lines, len) = if is_turned { (size.1, size.0) } else { size };
            let stride = len + GAP;
            let (row_stride, column_stride) = if is_turned { (1, stride) } else { (stride, 1) };
            Self { values: numbers(lines * stride, seed), row_stride, column_stride }
        }
    }

    /// The bits that `run` makes of one product, and of what lies between its rows.
    fn product(
        run: unsafe fn(&Job),
        (rows, inner, columns): (usize, usize, usize),
        (a, b): (&Stored, &Stored),
        start: Start,
        finish: Finish<()>,
    ) -> Vec<u32> {
        let stored = |seed| Stored::new(numbers, seed, (rows, columns), false);
        let (gate, mut c) = (stored(9), stored(2));
        let job = Job {
            rows,
            columns,
            inner,
            a: a.values.as_ptr(),
            a_row_stride: a.row_stride,
            a_column_stride: a.column_stride,
            b: b.values.as_ptr(),
            b_row_stride: b.row_stride,
            b_column_stride: b.column_stride,
            c: c.values.as_mut_ptr(),
            c_stride: c.row_stride,
            start,
            finish: match finish {
                Finish::Store => Finish::Store,
                Finish::Relu => Finish::Relu,
                Finish::Gate(()) => Finish::Gate(gate.values.as_ptr()),
            },
            gate_stride: gate.row_stride,
        };
        // SAFETY: the matrices have the shapes and strides; the processor has been asked
        unsafe { run(&job) };
        c.values.into_iter().map(f32::to_bits).collect()
    }

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        // what is left of rows: none to five; of columns: none, parts of one to four vectors, whole ones
        let left = [(1, 128, 301), (14, 41, 349), (9, 50, 112), (10, 37, 16), (11, 40, 60), (12, 77, 63)];
        let others = [(25, 301, 128), (12, 77, 33), (7, 9, 5), (34, 20, 40), (25, 30, 200), (13, 600, 45)];
        // rows enough for panels, their inner indices in one part and in several
        let many = [(101, 301, 128), (53, 40, 121), (70, 790, 37), (99, 180, 8), (64, 0, 20), (5, 790, 70)];
        for shape in left.into_iter().chain(others).chain(many) {
            for [is_a_turned, is_b_turned] in [[false, false], [true, false], [false, true], [true, true]] {
                let (rows, inner, columns) = shape;
                let a = Stored::new(numbers, 0, (rows, inner), is_a_turned);
                let b = Stored::new(numbers, 5, (inner, columns), is_b_turned);
                let product =
                    |run: unsafe fn(&Job)| product(run, shape, (&a, &b), Start::Present, Finish::Gate(()));
                let expected = product(run::<f32, 4, 4>);
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    assert_eq!(product(run::<Avx2, 6, 2>), expected);
                }
                if is_x86_feature_detected!("avx512f") {
                    assert_eq!(product(run::<Avx512, 6, 4>), expected);
                }
            }
        }
    }

    /// Lists of the rows of A or of the columns of B, on large panels or small ones; nothing where they are not thin.
    unsafe fn listed<V: Lanes, const BY_ROWS: bool, const LARGE: bool>(job: &Job) {
        unsafe fn nothing(_: &Job) {}
        let sparse = Some(if BY_ROWS { Sparse::Rows } else { Sparse::Columns });
        let widest = if LARGE { Widest::LARGE } else { Widest::SMALL };
        // SAFETY: the caller's
        unsafe { lists::multiply::<V>(job, Known { sparse, has_features: false }, widest, nothing) }
    }

    /// Products of one shape with a thin factor, by lists and by blocks.
    fn check_lists<const BY_ROWS: bool>(shape: (usize, usize, usize), finish: Finish<()>) {
        let (rows, inner, columns) = shape;
        for (is_a_turned, is_b_turned) in [(false, false), (true, false), (false, true), (true, true)] {
            if BY_ROWS && is_a_turned {
                continue;
            }
            let (of_a, of_b): (Numbers, Numbers) =
                if BY_ROWS { (thin_numbers, numbers) } else { (numbers, thin_numbers) };
            let a = Stored::new(of_a, 0, (rows, inner), is_a_turned);
            let b = Stored::new(of_b, 5, (inner, columns), is_b_turned);
            for start in [Start::Zero, Start::Present] {
                let product = |run: unsafe fn(&Job)| product(run, shape, (&a, &b), start, finish);
                let expected = product(run::<f32, 4, 4>);
                assert_eq!(product(listed::<f32, BY_ROWS, false>), expected);
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    assert_eq!(product(listed::<Avx2, BY_ROWS, false>), expected);
                    assert_eq!(product(listed::<Avx2, BY_ROWS, true>), expected);
                }
                if is_x86_feature_detected!("avx512f") {
                    assert_eq!(product(listed::<Avx512, BY_ROWS, false>), expected);
                    assert_eq!(product(listed::<Avx512, BY_ROWS, true>), expected);
                }
            }
        }
    }

    #[test]
    fn lists_give_the_bits_of_blocks() {
        for shape in [(108, 128, 301), (131, 33, 97), (40, 790, 190), (33, 19, 112)] {
            check_lists::<true>(shape, Finish::Store);
        }
        for shape in [(300, 301, 128), (97, 300, 131), (190, 790, 40), (112, 40, 33)] {
            for finish in [Finish::Store, Finish::Relu, Finish::Gate(())] {
                check_lists::<false>(shape, finish);
            }
        }
    }

    #[test]
    fn a_factor_that_is_not_thin_is_left_to_blocks() {
        let shape = (300, 301, 128);
        let (a, b) = (Stored::new(numbers, 0, (300, 301), false), Stored::new(numbers, 5, (301, 128), false));
        let untouched = Stored::new(numbers, 2, (300, 128), false).values.into_iter().map(f32::to_bits);
        let got = product(listed::<f32, false, false>, shape, (&a, &b), Start::Present, Finish::Store);
        assert!(got.into_iter().eq(untouched));
    }
}
