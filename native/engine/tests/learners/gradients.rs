//! What gradients do to a learner, and their edges.

use virel_engine::learner::Step;
use virel_engine::networks::layout::Networks;
use virel_engine::recipe::{MStepKind, PolicyCritic, PolicyKind};
use virel_engine::replay::batch::Batch;

use super::support::recipes::{DDPG, MPO, PROJECTED, SAC_TWIN, VIREL};
use super::support::{Case, network};
use super::{Built, learner, tiny, variants};

fn a_recipe_has_its_own_losses_and_terms_and_no_others<L: Built>() {
    let of = |variant| {
        let case = Case::of(variant, 7, tiny(), 5, 1.0);
        let mut learner: L = learner(&case);
        learner.step(Step::Joint, &case.batch(), &case.noise, case.temperature()).unwrap();
        let terms = learner.terms().unwrap();
        let names: Vec<_> = terms.losses.named().map(|(name, _)| name).collect();
        (names, terms.kl_mean.is_some() && terms.kl_covariance.is_some())
    };
    assert_eq!(of(VIREL), (vec!["policy", "actionValue", "stateValue"], false));
    assert_eq!(of(SAC_TWIN), (vec!["policy", "actionValue", "temperature"], false));
    if L::M_STEPS.contains(&MStepKind::Projected) {
        let projected = vec!["policy", "actionValue", "stateValue", "auxiliaryWeights"];
        assert_eq!(of(PROJECTED), (projected, false));
    }
    assert_eq!(of(DDPG), (vec!["policy", "actionValue"], false));
    let mpo = vec!["policy", "actionValue", "temperature", "meanMultiplier", "covarianceMultiplier"];
    assert_eq!(of(MPO), (mpo, true));
}

fn gradients_and_the_residual_error_step_nothing<L: Built>() {
    for variant in variants(L::M_STEPS) {
        let case = Case::of(variant, 5, tiny(), 5, 1.0);
        let mut learner: L = learner(&case);
        let first = learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap();
        learner.residual_error(&case.batch(), &case.next_noise, case.temperature()).unwrap();
        assert_eq!(learner.parameters().unwrap(), case.parameters);
        assert_eq!(learner.terms().unwrap(), Default::default());
        assert_eq!(learner.norms().unwrap(), Default::default());
        assert_eq!(learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap(), first);
        let names: Vec<_> = first.gradients.into_iter().map(|p| p.spec).collect();
        assert_eq!(names, Networks::new(&variant.recipe, &case.sizes).trained());
    }
}

fn log_std_receives_no_gradient_strictly_outside_its_range_and_some_on_its_edge<L: Built>() {
    for variant in variants(L::M_STEPS).filter(|variant| variant.recipe.policy == PolicyKind::TanhGaussian) {
        for (bias, blocked) in [(2.5, true), (-20.5, true), (2.0, false), (-20.0, false)] {
            // heads that answer their bias alone
            let mut case = Case::of(variant, 3, tiny(), 5, 1.0);
            for parameter in &mut case.parameters {
                match parameter.spec.name.as_str() {
                    "policy.logStd.weight" => parameter.data.fill(0.0),
                    "policy.logStd.bias" => parameter.data.fill(bias),
                    _ => {}
                }
            }
            let step = learner::<L>(&case).gradients(&case.batch(), &case.noise, case.temperature()).unwrap();
            let log_std = network(&step.gradients, "policy.logStd.bias")[0];
            let none = log_std.data.iter().all(|&x| x == 0.0);
            assert_eq!(none, blocked, "{}, bias {bias}: {:?}", variant.name, log_std.data);
            let mean = network(&step.gradients, "policy.mean.bias")[0];
            assert!(mean.data.iter().all(|&x| x != 0.0));
        }
    }
}

fn the_policy_loss_gives_the_critics_no_gradient<L: Built>() {
    let mut case = Case::random(4, tiny(), 5, 1.0);
    let mut gradients = |temperature| {
        case.temperature = Some(temperature);
        learner::<L>(&case).gradients(&case.batch(), &case.noise, case.temperature()).unwrap().gradients
    };
    let (cold, hot) = (gradients(0.0), gradients(5.0));
    for critic in ["actionValue.", "stateValue."] {
        assert_eq!(network(&cold, critic), network(&hot, critic));
    }
    assert_ne!(network(&cold, "policy."), network(&hot, "policy."));
}

fn the_first_of_two_equal_action_values_takes_the_gradient<L: Built>() {
    // every ã is 0, where Q_2 is Q_1 to the bit: it differs from it in the weights of the action alone
    let mut case = Case::of(SAC_TWIN, 5, tiny(), 5, 1.0);
    case.noise.fill(0.0);
    let first: Vec<_> = network(&case.parameters, "actionValue.0").into_iter().cloned().collect();
    for parameter in case.parameters.iter_mut().filter(|p| p.spec.name.starts_with("policy.mean.")) {
        parameter.data.fill(0.0);
    }
    let second = case.parameters.iter_mut().filter(|p| p.spec.name.starts_with("actionValue.1"));
    for (second, first) in second.zip(first) {
        second.data = first.data;
        if second.spec.name.ends_with("trunk.0.weight") {
            second.data.chunks_mut(6).for_each(|row| row[4..].iter_mut().for_each(|x| *x = 1.0 - *x));
        }
    }
    let policy = |case: &Case| {
        let step = learner::<L>(case).gradients(&case.batch(), &case.noise, case.temperature()).unwrap();
        let gradients: Vec<_> = network(&step.gradients, "policy.").into_iter().cloned().collect();
        (gradients, step.losses.policy)
    };
    let twin = policy(&case);
    let single = |mut case: Case| {
        case.variant.recipe.policy_critic = PolicyCritic::First;
        policy(&case)
    };
    assert_eq!(twin, single(case.clone()));
    // a second that is the least bit smaller takes it
    let last = case.parameters.iter_mut().find(|p| p.spec.name == "actionValue.1.value.bias").unwrap();
    last.data[0] -= 1e-3;
    assert_ne!(policy(&case).0, twin.0);
}

fn a_small_temperature_takes_the_best_sample_and_a_large_one_all_alike<L: Built>() {
    // ω goes to the greedy action and to equal weights: the loss's limits, both finite
    let mut case = Case::of(MPO, 6, tiny(), 5, 1.0);
    let mut losses = |temperature| {
        case.temperature = Some(temperature);
        learner::<L>(&case).gradients(&case.batch(), &case.noise, case.temperature()).unwrap().losses
    };
    for temperature in [1e-30, 1e-6, 1e6] {
        let losses = losses(temperature);
        assert!(losses.named().all(|(_, loss)| loss.is_finite()), "{temperature}: {losses:?}");
    }
    let [cold, colder] = [losses(1e-6).policy, losses(1e-8).policy];
    // the samples' values differ by far more than 1e-6
    assert_eq!(cold, colder);
    assert_ne!(cold, losses(1e6).policy);
}

fn not_a_number_is_not_hidden<L: Built>() {
    for variant in variants(L::M_STEPS) {
        let case = Case::of(variant, 8, tiny(), 9, 1.0);
        let mut observations = case.batch().observations.to_vec();
        observations[0] = f32::NAN;
        let batch = Batch { observations: &observations, ..case.batch() };
        let mut learner: L = learner(&case);
        learner.step(Step::Joint, &batch, &case.noise, case.temperature()).unwrap();
        for (name, loss) in learner.terms().unwrap().losses.named() {
            assert!(loss.is_nan(), "{}: {name} {loss}", variant.name);
        }
    }
}

of_both_engines!(
    a_recipe_has_its_own_losses_and_terms_and_no_others,
    gradients_and_the_residual_error_step_nothing,
    log_std_receives_no_gradient_strictly_outside_its_range_and_some_on_its_edge,
    the_policy_loss_gives_the_critics_no_gradient,
    the_first_of_two_equal_action_values_takes_the_gradient,
    a_small_temperature_takes_the_best_sample_and_a_large_one_all_alike,
    not_a_number_is_not_hidden,
);
