//! Blocks of a product, each in registers from its first sum to its last: the inner loop of everything.
//!
//! Samples (columns of B and C) are the lanes of a vector; a value of A is spread over all lanes. One step of the inner
//! loop loads some vectors of B and multiplies them with one value of each of the block's rows; of the blocks that fill
//! the registers, one that is nearly square loads least. All addresses of a few steps follow from the same few registers.
//! What a block will read and write at its end, and the rows of A that come next, are asked for while its sums are
//! formed: all networks of a learner together are larger than the second-level cache, so each meets a product after it has
//! been away.

use std::marker::PhantomData;
use std::ops::Range;

use super::{Finish, Start};
use crate::lanes::{LINE, Lanes, Task, prefetch};
use crate::learner::kernel::transpose::tiles;

/// Most inner indices that are worked on together: those of a layer of 300 in one piece.
pub const DEPTH: usize = 384;

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
    /// What some of the inner indices add to the product.
    pub fn part(&self, indices: Range<usize>) -> Self {
        Self {
            inner: indices.len(),
            a: self.a.wrapping_add(indices.start * self.a_column_stride),
            b: self.b.wrapping_add(indices.start * self.b_row_stride),
            start: if indices.start == 0 { self.start } else { Start::Present },
            finish: if indices.end < self.inner { Finish::Store } else { self.finish },
            ..*self
        }
    }

    /// Some columns of the product.
    pub fn columns(&self, columns: Range<usize>) -> Self {
        Self {
            columns: columns.len(),
            b: self.b.wrapping_add(columns.start * self.b_column_stride),
            c: self.c.wrapping_add(columns.start),
            finish: match self.finish {
                Finish::Gate(gate) => Finish::Gate(gate.wrapping_add(columns.start)),
                finish => finish,
            },
            ..*self
        }
    }

    /// Some rows of the product.
    pub fn rows(&self, rows: Range<usize>) -> Self {
        Self {
            rows: rows.len(),
            a: self.a.wrapping_add(rows.start * self.a_row_stride),
            c: self.c.wrapping_add(rows.start * self.c_stride),
            finish: match self.finish {
                Finish::Gate(gate) => Finish::Gate(gate.wrapping_add(rows.start * self.gate_stride)),
                finish => finish,
            },
            ..*self
        }
    }

    /// The same with a copy of B, whose rows are `stride` apart and end in zeros up to a whole vector.
    ///
    /// # Safety
    /// The processor has `V`; the panel has room.
    #[inline(always)]
    pub unsafe fn on<V: Lanes>(&self, panel: *mut f32, stride: usize) -> Self {
        // SAFETY: the caller's
        unsafe {
            if self.b_column_stride == 1 {
                for k in 0..self.inner {
                    for column in (0..self.columns).step_by(V::COUNT) {
                        let from = self.b.add(k * self.b_row_stride + column);
                        V::load_most(from, self.columns - column).store(panel.add(k * stride + column));
                    }
                }
            } else {
                tiles::<V>((self.b, self.b_column_stride), (panel, stride), (self.columns, self.inner));
            }
        }
        Self { b: panel, b_row_stride: stride, b_column_stride: 1, ..*self }
    }
}

/// Fewer steps of the inner index leave no time to ask for what comes next.
const SHALLOW: usize = 36;

/// Steps of the inner index whose addresses follow from the same registers.
const STEPS: usize = 4;

/// Some rows and columns of a product in blocks of `M` rows by `N` vectors. With `PART`, one block is as wide as they are, and
/// has as many lanes of its last vector as they leave; on a `PANEL`, B's rows have `N` whole vectors and no gaps.
pub struct Blocks<'a, V, const M: usize, const N: usize, const PART: bool, const PANEL: bool> {
    job: &'a Job,
    rows: Range<usize>,
    columns: Range<usize>,
    lanes: PhantomData<V>,
}

impl<'a, V: Lanes, const M: usize, const N: usize, const PART: bool, const PANEL: bool>
    Blocks<'a, V, M, N, PART, PANEL>
{
    /// Rows: a multiple of `M`. Columns: a multiple of `N` vectors or, with `PART`, more than `N` − 1 and at most `N`; on a
    /// `PANEL` they are all of the job's, and its B is what [`Job::on`] made, with `N` vectors from row to row.
    pub const fn of(job: &'a Job, rows: Range<usize>, columns: Range<usize>) -> Self {
        Self { job, rows, columns, lanes: PhantomData }
    }

    /// Computes them, in a function of their own: every kind of block has all registers.
    ///
    /// # Safety
    /// The pointers are good for what the shapes and strides say, C for writing, and C overlaps nothing else; the processor has
    /// `V`; the blocks lie in C.
    #[inline(always)]
    pub unsafe fn compute(self) {
        // SAFETY: the caller's
        unsafe { V::apart(self) }
    }

    /// One of them.
    ///
    /// # Safety
    /// As [`Self::compute`].
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
                Finish::Relu => sums.as_flattened_mut().iter_mut().for_each(|sum| *sum = sum.relu()),
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
    /// As [`Self::compute`].
    #[inline(always)]
    unsafe fn accumulate(&self, sums: &mut [[V; N]; M], row: usize, column: usize) {
        let job = self.job;
        // SAFETY: the caller's
        unsafe {
            let a = job.a.wrapping_add(row * job.a_row_stride);
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
    /// As [`Self::compute`].
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
            let mut b = job.b.wrapping_add(column);
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
    thirds: [*const f32; 3],
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
