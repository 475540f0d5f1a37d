//! The number of threads, the sizes of batches and the thread that calls never change a bit.

use virel_engine::learner::kernel::sgemm::Gemm;
use virel_engine::learner::{Learner, LearnerConfig, Step, StepNorms, StepTerms};
use virel_engine::networks::layout::{Parameter, Sizes};
use virel_engine::random::{Purpose, Stream};
use virel_engine::replay::buffer::{GatheredBatch, ReplayBuffer, Transition};
use virel_engine::replay::rows::Rows;

use super::support::Case;
use super::support::recipes::{SAC_TWIN, VIREL, Variant};
use super::{learner, learner_with, sizes, tiny, variants};

/// All that a learner shows after each step.
type Seen = Vec<(StepTerms, StepNorms, f32)>;

fn run(variant: Variant, sizes: &Sizes, prepared: usize, threads: usize) -> (Vec<Parameter>, Seen) {
    run_with(Gemm::Own, variant, sizes, prepared, threads)
}

/// Steps of every kind on batches of one row, of fewer and of more than the learner is prepared for.
fn run_with(
    gemm: Gemm,
    variant: Variant,
    sizes: &Sizes,
    prepared: usize,
    threads: usize,
) -> (Vec<Parameter>, Seen) {
    let mut case = Case::of(variant, 9, sizes.clone(), prepared, 1.0);
    let mut stream = Stream::new(9, Purpose::ReplayIndex, 0);
    let mut learner = learner_with(&case, LearnerConfig { threads, gemm, ..case.config() });
    let mut seen = Vec::new();
    for rows in [prepared, 1, prepared / 2 + 1, prepared + 9, 2 * prepared, 3] {
        for step in [Step::Joint, Step::M, Step::E, Step::Joint] {
            case.redraw(&mut stream, rows);
            learner.step(step, &case.batch(), &case.noise, case.temperature()).unwrap();
            learner.update_targets(step).unwrap();
            let residual =
                learner.residual_error(&case.batch(), &case.next_noise, case.temperature()).unwrap();
            seen.push((learner.terms().unwrap(), learner.norms().unwrap(), residual));
        }
    }
    (learner.parameters().unwrap(), seen)
}

#[test]
fn any_number_of_threads_agrees_to_the_bit() {
    // wide enough for the rows of a product to be shared
    let wide = sizes(17, 6, &[100, 180], &[96, 212]);
    for variant in variants() {
        for (sizes, prepared, others) in [(&wide, 64, [2, 4]), (&tiny(), 7, [2, 9])] {
            let one = run(variant, sizes, prepared, 1);
            assert!(one.0.iter().all(|p| p.data.iter().all(|x| x.is_finite())), "{}", variant.name);
            for threads in others {
                assert!(one == run(variant, sizes, prepared, threads), "{}: {threads}", variant.name);
            }
        }
    }
    let papers = sizes(17, 6, &[300, 300], &[300, 300]);
    let one = run(VIREL, &papers, 128, 1);
    for threads in [2, 3, 4, 8] {
        assert!(one == run(VIREL, &papers, 128, threads), "{threads}");
    }
}

#[test]
fn many_threads_are_repeatable_whatever_computes_the_products() {
    let papers = sizes(17, 6, &[300, 300], &[300, 300]);
    for (gemm, variant, threads) in
        Gemm::all().flat_map(|gemm| [(gemm, VIREL, 3), (gemm, VIREL, 4), (gemm, SAC_TWIN, 2)])
    {
        let run = || run_with(gemm, variant, &papers, 128, threads);
        assert!(run() == run(), "{}, {}, {threads} threads", gemm.name(), variant.name);
    }
}

/// Small networks, so that the halves meet in every order.
#[test]
fn many_steps_on_two_threads_agree_to_the_bit() {
    for variant in [VIREL, SAC_TWIN] {
        let run = |threads| {
            let case = Case::of(variant, 9, sizes(4, 2, &[20, 30, 10], &[20, 30, 10]), 33, 1.0);
            let mut learner = learner_with(&case, LearnerConfig { threads, ..case.config() });
            for _ in 0..5000 {
                learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature()).unwrap();
                learner.update_targets(Step::Joint).unwrap();
            }
            learner.parameters().unwrap()
        };
        assert!(run(1) == run(2), "{}", variant.name);
    }
}

#[test]
fn rows_that_are_still_in_the_buffer_step_as_a_batch_of_them_and_targets_follow_as_apart() {
    for variant in variants() {
        let case = Case::of(variant, 5, tiny(), 12, 1.0);
        let batch = case.batch();
        let mut replay = ReplayBuffer::new(4, 2, 100);
        for row in 0..12 {
            let transition = Transition {
                observation: &batch.observations[4 * row..4 * row + 4],
                action: &batch.actions[2 * row..2 * row + 2],
                reward: batch.rewards[row],
                next_observation: &batch.next_observations[4 * row..4 * row + 4],
                discount: batch.discounts[row],
            };
            replay.push(&transition).unwrap();
        }
        for followed in [None, Some(Step::M), Some(Step::E), Some(Step::Joint)] {
            let run = |threads, indices: Option<&[usize]>| {
                let mut learner = learner_with(&case, LearnerConfig { threads, ..case.config() });
                let mut room = GatheredBatch::default();
                for _ in 0..3 {
                    let Some(indices) = indices else {
                        learner.step(Step::Joint, &batch, &case.noise, case.temperature()).unwrap();
                        followed.map_or(Ok(()), |halves| learner.update_targets(halves)).unwrap();
                        continue;
                    };
                    let given = (&Rows::Drawn { replay: &replay, indices }, &mut room);
                    let step = (Step::Joint, followed);
                    learner.step_on(step, given, &case.noise, case.temperature()).unwrap();
                }
                (learner.parameters().unwrap(), learner.terms().unwrap())
            };
            let all: Vec<usize> = (0..12).collect();
            let given = run(1, None);
            for threads in [1, 2, 5] {
                assert!(given == run(threads, Some(&all)), "{}: {threads}, {followed:?}", variant.name);
            }
            // another draw is another step
            assert!(given != run(2, Some(&[0; 12])), "{}", variant.name);
        }
    }
}

#[test]
fn batches_of_other_sizes_give_what_a_learner_made_for_them_gives() {
    for variant in variants() {
        let mut learner = learner(&Case::of(variant, 3, tiny(), 16, 1.0));
        for rows in [33, 1, 7, 16, 40] {
            let other = Case::of(variant, rows as u64, tiny(), rows, 1.0);
            learner.set_parameters(&other.parameters).unwrap();
            let gradients = |learner: &mut dyn Learner| {
                learner.gradients(&other.batch(), &other.noise, other.temperature()).unwrap()
            };
            assert_eq!(gradients(&mut learner), gradients(&mut super::learner(&other)), "{rows} rows");
        }
    }
}

#[test]
fn a_learner_moves_between_threads() {
    let case = Case::of(VIREL, 4, tiny(), 9, 1.0);
    let prepared = || learner_with(&case, LearnerConfig { threads: 2, ..case.config() });
    let step = |learner: &mut dyn Learner| {
        learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature()).unwrap();
    };
    let mut stayed = prepared();
    step(&mut stayed);
    step(&mut stayed);

    let mut learner: Box<dyn Learner> = Box::new(prepared());
    step(&mut *learner);
    let moved = std::thread::scope(|scope| {
        let there = scope.spawn(move || {
            step(&mut *learner);
            learner
        });
        there.join().unwrap()
    });
    assert_eq!(moved.parameters().unwrap(), stayed.parameters().unwrap());
}
