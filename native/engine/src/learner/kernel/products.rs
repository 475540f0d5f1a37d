//! The matrix products of one half of a step: what computes them, and the threads that share their rows.
//!
//! Every element of a product is one sum whatever rows are computed beside it, so with our own [`Gemm`] and finite numbers a
//! team of any size gives the same bits.

use super::sgemm::{Factor, Finish, Gemm, Product, Start};
use crate::error::Result;
use crate::threads::Team;

/// Rows that a part is a multiple of: those of the blocks of [`Gemm::Own`] that fill the registers go into it.
const BLOCK: usize = 12;

/// Multiply-adds that are worth another thread: some 4 microseconds, where handing them over takes less than one.
const WORTH: usize = 1 << 18;

/// Computes products, and whatever else is done alike on parts.
pub struct Products {
    gemm: Gemm,
    team: Team,
}

impl Products {
    /// On `threads` threads, the caller's among them.
    ///
    /// # Errors
    /// `OUT_OF_MEMORY` if the system has no thread to give.
    pub fn new(gemm: Gemm, threads: usize) -> Result<Self> {
        Ok(Self { gemm, team: Team::new(threads)? })
    }

    /// On the caller's thread.
    pub const fn alone(gemm: Gemm) -> Self {
        Self { gemm, team: Team::alone() }
    }

    /// The threads.
    pub const fn team(&mut self) -> &mut Team {
        &mut self.team
    }

    /// The threads, and what each computes products with that it does not share.
    pub const fn apart(&mut self) -> (&mut Team, Gemm) {
        (&mut self.team, self.gemm)
    }

    /// [`Gemm::multiply`].
    ///
    /// # Errors
    /// None of its own.
    pub fn multiply(
        &mut self,
        c: Product<'_>,
        (a, b): (Factor<'_>, Factor<'_>),
        start: Start,
        finish: Finish<Factor<'_>>,
    ) -> Result<()> {
        let gemm = self.gemm;
        let worth = c.rows() * b.rows() * b.columns() / WORTH;
        let rows = c.rows().div_ceil(self.team.size().min(worth.max(1))).next_multiple_of(BLOCK);
        if rows >= c.rows() {
            gemm.multiply(c, (a, b), start, finish);
            return Ok(());
        }
        let parts = c.by_rows(rows).enumerate().map(|(index, part)| {
            let which = index * rows..index * rows + part.rows();
            let finish = match finish {
                Finish::Gate(gate) => Finish::Gate(gate.some_rows(which.clone())),
                finish => finish,
            };
            (part, a.some_rows(which), finish)
        });
        self.team.share(parts, |(c, a, finish)| {
            gemm.multiply(c, (a, b), start, finish);
            Ok(())
        })
    }
}
