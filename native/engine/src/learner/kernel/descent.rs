//! The end of a step: the gradient by every weight, Adam on it, and the target that follows, in pieces for whoever is free.
//!
//! A half that has been through its networks before the other takes gradients by their weights meanwhile. When both have,
//! all threads share what is left, each its own first, so that one seldom waits for the other, on cores that others use too.
//! Pieces are always the same and lie apart: who takes one changes nothing.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::backward::Passed;
use super::memory::Floats;
use super::network::{Optimiser, zeros};
use super::sgemm::Gemm;
use super::vector;
use crate::error::{Result, expect_len};
use crate::lanes::claim;
use crate::math::adam::AdamStep;
use crate::networks::mlp::Shape;
use crate::threads::Team;

/// Most rows of a piece: few enough to end together, and enough that what their product copies of its other factor does
/// not count. A multiple of the rows of the blocks of [`Gemm::Own`] that fill the registers.
const ROWS: usize = 108;

/// Rows of a layer that are taken together.
struct Piece {
    layer: usize,
    rows: Range<usize>,
    /// Floats in a flat vector.
    len: usize,
}

/// Gradient and optimiser of one network.
pub struct Descent {
    /// In the order of the flat vector.
    pieces: Vec<Piece>,
    /// Of each piece, whether its gradient is this step's.
    known: Vec<bool>,
    /// ∂J by the network's weights at the latest step.
    pub gradient: Floats,
    /// Adam's.
    pub optimiser: Optimiser,
}

impl Descent {
    /// Before the first step.
    pub fn new(network: &Shape, learning_rate: f64) -> Self {
        let mut pieces = Vec::new();
        for (index, layer) in network.layers.iter().enumerate() {
            for first in (0..layer.outputs).step_by(ROWS) {
                let rows = first..layer.outputs.min(first + ROWS);
                pieces.push(Piece { layer: index, len: rows.len() * layer.stride, rows });
            }
        }
        Self {
            known: vec![false; pieces.len()],
            pieces,
            gradient: zeros(network),
            optimiser: Optimiser::new(network, learning_rate),
        }
    }

    /// Begins a step: no piece's gradient is known.
    pub fn begin(&mut self) {
        self.known.fill(false);
    }

    /// The gradients that are not known yet and, where the network `moves`, Adam on all, and its target.
    pub fn work<'a>(
        &'a mut self,
        passed: Passed<'a>,
        moves: Option<Moves<'a>>,
    ) -> impl Iterator<Item = Work<'a>> {
        let mut gradient: &mut [f32] = &mut self.gradient;
        let optimiser = &mut self.optimiser;
        let mut moved = moves.map(|Moves { weights, target }| {
            let (step, [first_moment, second_moment]) = optimiser.begin();
            Moved { step, weights, first_moment, second_moment, target }
        });
        // from the last layer back: pieces of the first are small where inputs are few, and whoever ends first takes them
        self.pieces.iter().zip(&mut self.known).rev().map(move |(piece, is_known)| Work {
            passed,
            piece,
            is_known,
            gradient: last_of(&mut gradient, piece.len),
            moved: moved.as_mut().map(|moved| moved.last(piece.len)),
        })
    }
}

/// What a step moves of one network.
pub struct Moves<'a> {
    /// Its weights, by Adam.
    weights: &'a mut [f32],
    /// Its target, towards the weights that Adam leaves; None where it stays.
    target: Option<Target<'a>>,
}

impl<'a> Moves<'a> {
    /// Of weights and, where there is a rate to move at, their target.
    pub fn of(weights: &'a mut Floats, target: Option<&'a mut Floats>, rate: Option<f32>) -> Self {
        Self { weights, target: target.zip(rate).map(|(weights, rate)| Target { weights, rate }) }
    }
}

/// A target network, laid out as what it follows.
struct Target<'a> {
    weights: &'a mut [f32],
    /// τ.
    rate: f32,
}

impl<'a> Target<'a> {
    /// Cuts off the last `len` weights.
    fn last(&mut self, len: usize) -> Self {
        Self { weights: last_of(&mut self.weights, len), rate: self.rate }
    }
}

/// Where the halves of a step meet before its end.
pub struct Meeting {
    halves: usize,
    arrived: AtomicUsize,
}

impl Meeting {
    /// Of so many halves.
    pub const fn of(halves: usize) -> Self {
        Self { halves, arrived: AtomicUsize::new(0) }
    }

    /// One of them is here.
    pub fn arrive(&self) {
        self.arrived.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether all are.
    pub fn is_complete(&self) -> bool {
        self.arrived.load(Ordering::Relaxed) >= self.halves
    }
}

/// Cuts off the last `len` values.
fn last_of<'a>(values: &mut &'a mut [f32], len: usize) -> &'a mut [f32] {
    values.split_off_mut(values.len() - len..).unwrap_or_default()
}

/// Cuts off the first `len` values.
fn first_of<'a>(values: &mut &'a mut [f32], len: usize) -> &'a mut [f32] {
    values.split_off_mut(..len).unwrap_or_default()
}

/// What Adam changes, and what follows.
struct Moved<'a> {
    step: AdamStep<f32>,
    weights: &'a mut [f32],
    first_moment: &'a mut [f32],
    second_moment: &'a mut [f32],
    target: Option<Target<'a>>,
}

impl<'a> Moved<'a> {
    /// Cuts off the last `len` weights.
    fn last(&mut self, len: usize) -> Self {
        Self {
            step: self.step,
            weights: last_of(&mut self.weights, len),
            first_moment: last_of(&mut self.first_moment, len),
            second_moment: last_of(&mut self.second_moment, len),
            target: self.target.as_mut().map(|target| target.last(len)),
        }
    }
}

/// What is to be done with one piece.
pub struct Work<'a> {
    passed: Passed<'a>,
    piece: &'a Piece,
    is_known: &'a mut bool,
    gradient: &'a mut [f32],
    moved: Option<Moved<'a>>,
}

impl Work<'_> {
    fn run(self, gemm: Gemm) -> Result<()> {
        let Self { passed, piece, is_known, gradient, moved } = self;
        if !*is_known {
            passed.weight_gradient(gemm, (piece.layer, piece.rows.clone()), gradient);
            *is_known = true;
        }
        let Some(Moved { step, weights, first_moment, second_moment, target }) = moved else { return Ok(()) };
        adam(&step, weights, gradient, [first_moment, second_moment])?;
        target.map_or(Ok(()), |target| vector::move_target(target.weights, weights, target.rate))
    }
}

/// Weights that Adam takes between two claims of those that follow: 32 lines, about as many as a core can wait for at once.
const STRETCH: usize = 512;

/// Adam on a piece. Both halves of a step read weights, so that the caches of two cores have them: they are claimed ahead,
/// since giving a line up may take longer than a line of Adam.
fn adam<'a>(
    step: &AdamStep<f32>,
    mut weights: &'a mut [f32],
    gradient: &[f32],
    [mut first_moment, mut second_moment]: [&'a mut [f32]; 2],
) -> Result<()> {
    expect_len("gradient", gradient.len(), weights.len())?;
    let claim_some = |weights: &[f32]| claim(&weights[..weights.len().min(STRETCH)]);
    claim_some(weights);
    for gradient in gradient.chunks(STRETCH) {
        let [now, first, second] = [&mut weights, &mut first_moment, &mut second_moment]
            .map(|values| first_of(values, gradient.len()));
        claim_some(weights);
        vector::adam(step, now, gradient, first, second)?;
    }
    Ok(())
}

/// The next of some work that several threads take from.
pub fn take<'a>(work: &Mutex<impl Iterator<Item = Work<'a>>>) -> Option<Work<'a>> {
    // a panic of another thread reaches the caller anyway
    work.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// Has a team do the `next` work until there is none or it is `enough`.
pub fn share<'a>(
    (team, gemm): (&mut Team, Gemm),
    next: impl Fn() -> Option<Work<'a>> + Sync,
    enough: impl Fn() -> bool + Sync,
) -> Result<()> {
    team.share(0..team.size(), |_| {
        while !enough()
            && let Some(work) = next()
        {
            work.run(gemm)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{AdamStep, STRETCH, adam, vector};

    /// Weights, gradient and both moments, none of them alike.
    fn numbers(len: usize) -> [Vec<f32>; 4] {
        [3, 5, 7, 11].map(|factor| (0..len).map(|i| (i * factor % 101) as f32 / 100.0).collect())
    }

    #[test]
    fn adam_in_stretches_is_adam_at_once() {
        for len in [1, STRETCH - 1, STRETCH, 2 * STRETCH + 276] {
            let step = AdamStep::new(3e-4, 17);
            let [mut weights, gradient, mut first, mut second] = numbers(len);
            vector::adam(&step, &mut weights, &gradient, &mut first, &mut second).unwrap();
            let expected = [weights, first, second];
            let [mut weights, gradient, mut first, mut second] = numbers(len);
            adam(&step, &mut weights, &gradient, [&mut first, &mut second]).unwrap();
            assert_eq!([weights, first, second], expected);
        }
    }

    #[test]
    fn adam_refuses_a_gradient_of_other_weights() {
        let [mut weights, gradient, mut first, mut second] = numbers(2 * STRETCH);
        let step = AdamStep::new(3e-4, 1);
        let refused = adam(&step, &mut weights, &gradient[STRETCH..], [&mut first, &mut second]);
        assert_eq!(refused.unwrap_err().code(), "LENGTH_MISMATCH");
        assert_eq!(weights, numbers(2 * STRETCH)[0]);
    }
}
