//! What computes the products is a matter of rounding.

use virel_engine::learner::kernel::sgemm::Gemm;
use virel_engine::learner::{Learner as _, LearnerConfig};

use super::support::{Case, disagreement, to_f64};
use super::{learner_with, sizes, variants};

#[test]
fn gradients_agree_whatever_computes_their_products() {
    // inputs, widths and rows beyond a vector of 16 and off its multiples
    let sizes = sizes(19, 3, &[37, 24], &[33, 18]);
    for variant in variants() {
        let case = Case::of(variant, 3, sizes.clone(), 21, 1.0);
        let gradients = |gemm| {
            let mut learner = learner_with(&case, LearnerConfig { gemm, ..case.config() });
            learner.gradients(&case.batch(), &case.noise, case.temperature()).unwrap().gradients
        };
        let own = gradients(Gemm::Own);
        for gemm in Gemm::all() {
            for (got, expected) in gradients(gemm).iter().zip(&own) {
                let error = disagreement(&got.data, &to_f64(&expected.data));
                // sums of at most 40 products in three layers, in another order: some 10 roundings of 6e-8
                assert!(error < 3e-6, "{}: {} by {gemm:?}: {error:e}", variant.name, got.spec.name);
            }
        }
    }
}
