//! Our own product: a block of C stays in registers while its sums are formed, and is finished there.
//!
//! Samples (columns of B and C) are the lanes of a vector; a value of A is spread over all lanes. One step of the inner
//! loop loads some vectors of B and multiplies them with one value of each of the block's rows; of the blocks that fill
//! the registers, one that is nearly square loads least. The multiply-adds are what takes time as long as little else is
//! to be done beside them, all the more where another thread has a share of the core: so all addresses of a few steps
//! follow from the same few registers, for which the columns of B that a block reads are copied to one piece of memory
//! before all rows of A pass them (as the gradient of a weight has to anyway, whose B has contiguous columns). A is never
//! copied: the networks here fit the second-level cache. What a block will read and write at its end, and the rows of A
//! that come next, are asked for while its sums are formed: all networks of a learner together are larger than the
//! second-level cache, so each meets a product after it has been away.
//!
//! Every element of C is one chain of fused multiply-adds in the order of the inner index, whatever the block and the
//! vector: so all instruction sets, and any split of C over threads, give the same bits.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::{Finish, Start};
#[cfg(target_arch = "x86_64")]
use crate::lanes::{Avx2, Avx512};
use crate::lanes::{LINE, Lanes, Task, prefetch};
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

impl Job {
    /// What `inner` of the inner indices, from `first` on, add to the product.
    ///
    /// # Safety
    /// They are some of the job's.
    unsafe fn part(&self, first: usize, inner: usize) -> Self {
        // SAFETY: the caller's
        unsafe {
            Self {
                inner,
                a: self.a.add(first * self.a_column_stride),
                b: self.b.add(first * self.b_row_stride),
                start: if first == 0 { self.start } else { Start::Present },
                finish: if first + inner < self.inner { Finish::Store } else { self.finish },
                ..*self
            }
        }
    }

    /// Some columns of the product.
    ///
    /// # Safety
    /// They are some of the job's.
    unsafe fn columns(&self, columns: Range<usize>) -> Self {
        // SAFETY: the caller's
        unsafe {
            Self {
                columns: columns.len(),
                b: self.b.add(columns.start * self.b_column_stride),
                c: self.c.add(columns.start),
                finish: match self.finish {
                    Finish::Gate(gate) => Finish::Gate(gate.add(columns.start)),
                    finish => finish,
                },
                ..*self
            }
        }
    }

    /// The same with a copy of B, whose rows are `stride` apart and end in zeros up to a whole vector.
    ///
    /// # Safety
    /// As [`run`]; the panel has room.
    #[inline(always)]
    unsafe fn on<V: Lanes>(&self, panel: *mut f32, stride: usize) -> Self {
        // SAFETY: the caller's
        unsafe {
            if self.b_column_stride == 1 {
                for k in 0..self.inner {
                    for column in (0..self.columns).step_by(V::COUNT) {
                        let from = self.b.add(k * self.b_row_stride + column);
                        let values = match self.columns - column {
                            part if part < V::COUNT => V::load_part(from, part),
                            _ => V::load(from),
                        };
                        values.store(panel.add(k * stride + column));
                    }
                }
            } else {
                tiles::<V>((self.b, self.b_column_stride), (panel, stride), (self.columns, self.inner));
            }
        }
        Self { b: panel, b_row_stride: stride, b_column_stride: 1, ..*self }
    }

    /// Whether all of B stays in the first-level cache, as it lies: 18 KB.
    const fn is_small(&self) -> bool {
        self.b_column_stride == 1 && self.inner * self.columns <= SHALLOW * 128
    }
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
    use super::{Avx2, Avx512, Job, TALL, run};

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
        unsafe { run::<Avx2, TALL, 1>(job) }
    }
}

/// Most columns of a panel, and most rows: those of a layer of 300 in one piece.
const WIDTH: usize = 64;
const DEPTH: usize = 384;

/// Most rows of a panel that A's columns pass: of a line of them a block takes a few values, and the next finds it near.
const DEPTH_OF_COLUMNS: usize = 160;

/// Blocks of rows that are worth a copy of B whose rows are contiguous as they lie.
const MANY: usize = 8;

/// Rows of a block of one vector: as many sums as keep the units busy.
const TALL: usize = 8;

/// Fewer steps of the inner index leave no time to ask for what comes next.
const SHALLOW: usize = 36;

/// Steps of the inner index whose addresses follow from the same registers.
const STEPS: usize = 4;

/// A copy of some columns of B, row by row.
#[repr(align(64))]
struct Panel([MaybeUninit<f32>; DEPTH * WIDTH]);

/// The product, its blocks of `M` rows by `N` vectors.
///
/// # Safety
/// As [`multiply`]; the processor has `V`.
#[inline(always)]
unsafe fn run<V: Lanes, const M: usize, const N: usize>(job: &Job) {
    const { assert!(N * V::COUNT <= WIDTH, "a panel has room for the columns of a block") }
    let is_turned = job.b_column_stride != 1;
    // SAFETY: the caller's
    unsafe {
        if job.inner == 0 || !is_turned && (job.is_small() || job.rows < MANY * M) {
            return in_place::<V, M, N>(job);
        }
        let mut panel = Panel([MaybeUninit::uninit(); DEPTH * WIDTH]);
        let panel = panel.0.as_mut_ptr().cast::<f32>();
        let most = if job.a_row_stride == 1 { DEPTH_OF_COLUMNS } else { DEPTH };
        let depth = job.inner.div_ceil(job.inner.div_ceil(most));
        for first in (0..job.inner).step_by(depth) {
            let part = job.part(first, depth.min(job.inner - first));
            if job.rows >= M {
                in_panels::<V, M, N>(&part, panel);
                continue;
            }
            for column in (0..job.columns).step_by(WIDTH) {
                let some = part.columns(column..job.columns.min(column + WIDTH));
                in_place::<V, M, N>(&some.on::<V>(panel, WIDTH));
            }
        }
    }
}

/// A product whose B has contiguous rows that are not worth a copy.
///
/// # Safety
/// As [`run`].
#[inline(always)]
unsafe fn in_place<V: Lanes, const M: usize, const N: usize>(job: &Job) {
    let rows = 0..job.rows - job.rows % M;
    let whole = job.columns - job.columns % (N * V::COUNT);
    // of a B that is near as a whole C is written row by row; else some columns of it are near while all rows pass them
    let width = if job.is_small() { whole } else { N * V::COUNT };
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
        if M > 2 && job.rows - row >= 2 {
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
#[inline(always)]
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
#[inline(always)]
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
            2 if N > 1 => Blocks::<V, M, 2, true, false>::of(job, rows, columns).compute(),
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
            2 if N > 1 => in_panel::<V, M, 2, true>(&last, panel),
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
        if M > 2 && job.rows - row >= 2 {
            Blocks::<V, 2, N, PART, true>::of(job, row..row + 2, columns.clone()).compute();
            row += 2;
        }
        if job.rows > row {
            Blocks::<V, 1, N, PART, true>::of(job, row..row + 1, columns).compute();
        }
    }
}

/// Some rows and columns of a product in blocks of `M` rows by `N` vectors. With `PART`, one block is as wide as they are, and
/// has as many lanes of its last vector as they leave; on a `PANEL`, B's rows have `N` whole vectors and no gaps.
struct Blocks<'a, V, const M: usize, const N: usize, const PART: bool, const PANEL: bool> {
    job: &'a Job,
    rows: Range<usize>,
    columns: Range<usize>,
    lanes: PhantomData<V>,
}

impl<'a, V: Lanes, const M: usize, const N: usize, const PART: bool, const PANEL: bool>
    Blocks<'a, V, M, N, PART, PANEL>
{
    const fn of(job: &'a Job, rows: Range<usize>, columns: Range<usize>) -> Self {
        Self { job, rows, columns, lanes: PhantomData }
    }

    /// Computes them, in a function of their own: every kind of block has all registers.
    ///
    /// # Safety
    /// As [`run`]; the blocks lie in C.
    #[inline(always)]
    unsafe fn compute(self) {
        // SAFETY: the caller's
        unsafe { V::apart(self) }
    }

    /// One of them.
    ///
    /// # Safety
    /// As [`run`]; the block lies in C.
    #[inline(always)]
    unsafe fn block(&self, row: usize, column: usize) {
        let (job, count) = (self.job, self.columns.end - column);
        // SAFETY: the caller's
        unsafe {
            let c = job.c.add(row * job.c_stride + column);
            let mut sums = [[V::splat(0.0); N]; M];
            if job.start == Start::Present {
                for (i, sums) in sums.iter_mut().enumerate() {
                    *sums = load::<V, N, PART>(c.add(i * job.c_stride), count);
                }
            }
            if job.inner > SHALLOW {
                self.prefetch(row, column);
            }
            self.accumulate(&mut sums, row, column);
            match job.finish {
                Finish::Store => {}
                Finish::Relu => sums = sums.map(|sums| sums.map(|sum| sum.relu())),
                Finish::Gate(gate) => {
                    let gate = gate.add(row * job.gate_stride + column);
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let gates = load::<V, N, PART>(gate.add(i * job.gate_stride), count);
                        *sums = std::array::from_fn(|v| sums[v].where_positive(gates[v]));
                    }
                }
            }
            for (i, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    let to = c.add(i * job.c_stride + v * V::COUNT);
                    let left = count - v * V::COUNT;
                    if PART && v + 1 == N { sum.store_part(to, left) } else { sum.store(to) }
                }
            }
        }
    }

    /// Asks for what a block meets after its sums: its place in C, and its gate.
    #[inline(always)]
    fn prefetch(&self, row: usize, column: usize) {
        let job = self.job;
        let block = |matrix: *const f32, stride: usize| {
            let first = matrix.wrapping_add(row * stride + column);
            for i in 0..M {
                for line in 0..(N * V::COUNT).div_ceil(LINE) {
                    prefetch(first.wrapping_add(i * stride + line * LINE));
                }
            }
        };
        block(job.c, job.c_stride);
        if let Finish::Gate(gate) = job.finish {
            block(gate, job.gate_stride);
        }
    }

    /// Adds the products of A's rows and B's columns to a block's sums.
    ///
    /// # Safety
    /// As [`Self::block`].
    #[inline(always)]
    unsafe fn accumulate(&self, sums: &mut [[V; N]; M], row: usize, column: usize) {
        let job = self.job;
        // SAFETY: the caller's
        unsafe {
            let a = job.a.add(row * job.a_row_stride);
            // what is contiguous is told to the compiler
            if job.a_row_stride == 1 {
                self.pass(sums, Rows::of(a, 1), job.a_column_stride, column);
            } else {
                self.pass(sums, Rows::of(a, job.a_row_stride), 1, column);
            }
        }
    }

    /// [`Self::accumulate`] for rows whose values are `a_stride` apart.
    ///
    /// # Safety
    /// As [`Self::block`].
    #[inline(always)]
    unsafe fn pass(&self, sums: &mut [[V; N]; M], mut a: Rows, a_stride: usize, column: usize) {
        let (job, count) = (self.job, self.columns.end - column);
        let stride = if PANEL { N * V::COUNT } else { job.b_row_stride };
        // SAFETY: the caller's; after the last step the pointers lie beyond the matrices, to be read no more
        unsafe {
            let load = |from: *const f32| match PART && !PANEL {
                true => load::<V, N, true>(from, count),
                false => load::<V, N, false>(from, count),
            };
            let mut b = job.b.add(column);
            for turn in 0..job.inner / STEPS {
                // contiguous rows are streams of their own; beside them run those of the block below
                if a_stride == 1 && turn % (LINE / STEPS) == 0 {
                    (0..M).for_each(|i| prefetch(a.at(i).wrapping_add(M * a.stride)));
                }
                for k in 0..STEPS {
                    step(sums, &a, k * a_stride, load(b.add(k * stride)));
                }
                a.advance(STEPS * a_stride);
                b = b.wrapping_add(STEPS * stride);
            }
            for _ in 0..job.inner % STEPS {
                step(sums, &a, 0, load(b));
                a.advance(a_stride);
                b = b.wrapping_add(stride);
            }
        }
    }
}

impl<V: Lanes, const M: usize, const N: usize, const PART: bool, const PANEL: bool> Task
    for Blocks<'_, V, M, N, PART, PANEL>
{
    #[inline(always)]
    unsafe fn run(self) {
        // what is stored into C cannot change a copy
        let job = *self.job;
        let this = Blocks::<V, M, N, PART, PANEL> { job: &job, ..self };
        let mut row = this.rows.start;
        while row < this.rows.end {
            let mut column = this.columns.start;
            while column < this.columns.end {
                // SAFETY: the caller's
                unsafe { this.block(row, column) }
                column += N * V::COUNT;
            }
            row += M;
        }
    }
}

/// Places in the rows of A that pass a block, one below the other.
struct Rows {
    /// Of every third row: with one stride they address all.
    thirds: [*const f32; 4],
    stride: usize,
}

impl Rows {
    #[inline(always)]
    fn of(first: *const f32, stride: usize) -> Self {
        Self { thirds: std::array::from_fn(|third| first.wrapping_add(3 * third * stride)), stride }
    }

    #[inline(always)]
    const fn at(&self, row: usize) -> *const f32 {
        self.thirds[row / 3].wrapping_add(row % 3 * self.stride)
    }

    #[inline(always)]
    fn advance(&mut self, by: usize) {
        self.thirds = self.thirds.map(|third| third.wrapping_add(by));
    }
}

/// Adds the products of one value of each of A's rows, `place` floats from where they are, and one row of B.
///
/// # Safety
/// The values lie in A.
#[inline(always)]
unsafe fn step<V: Lanes, const M: usize, const N: usize>(
    sums: &mut [[V; N]; M],
    rows: &Rows,
    place: usize,
    columns: [V; N],
) {
    for (i, sums) in sums.iter_mut().enumerate() {
        // SAFETY: the caller's
        unsafe {
            let value = V::splat(*rows.at(i).wrapping_add(place));
            for (sum, column) in sums.iter_mut().zip(columns) {
                *sum = value.mul_add(column, *sum);
            }
        }
    }
}

/// `N` vectors; with `PART`, of `count` values.
///
/// # Safety
/// The values are there.
#[inline(always)]
unsafe fn load<V: Lanes, const N: usize, const PART: bool>(from: *const f32, count: usize) -> [V; N] {
    // SAFETY: the caller's
    std::array::from_fn(|v| unsafe {
        let at = from.add(v * V::COUNT);
        if PART && v + 1 == N { V::load_part(at, count - v * V::COUNT) } else { V::load(at) }
    })
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
        // rows enough for panels, their inner indices in one part and in several
        let many = [(101, 301, 128), (53, 40, 121), (70, 790, 37), (99, 180, 8), (64, 0, 20)];
        for shape in left.into_iter().chain(others).chain(many) {
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
