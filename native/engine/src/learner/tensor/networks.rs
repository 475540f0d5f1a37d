//! The set of networks that a recipe has, as `networks::layout::Networks` lists them.

use tch::Tensor;

use super::network::Network;
use super::target_update::target_update;
use super::temperature::Duals;
use super::transfer::Placement;
use crate::error::{EngineError, Result};
use crate::learner::Step;
use crate::networks::layout::{LayerSpec, Networks, ParameterSpec};

/// Everything that is trained, or the gradients by it.
pub struct Trained {
    /// π_θ.
    pub policy: Network,
    /// Q_i.
    pub action_values: Vec<Network>,
    /// V_φ.
    pub state_value: Option<Network>,
    /// ζ.
    pub auxiliary_weights: Option<Network>,
    /// What is trained of a temperature and its multipliers.
    pub duals: Option<Duals>,
}

/// What only follows the trained networks.
pub struct Targets {
    /// V_φ̄.
    pub state_value: Option<Network>,
    /// Q̄_i.
    pub action_values: Vec<Network>,
    /// π̄ or π_φ.
    pub policy: Option<Network>,
}

impl Trained {
    /// All zero.
    pub fn zeros(networks: &Networks, placement: Placement) -> Result<Self> {
        Ok(Self {
            policy: Network::zeros(networks.policy.clone(), placement)?,
            action_values: zeros(&networks.action_values, placement)?,
            state_value: zeros_if_any(&networks.state_value, placement)?,
            auxiliary_weights: zeros_if_any(&networks.auxiliary_weights, placement)?,
            duals: Duals::zeros(&networks.duals, placement)?,
        })
    }

    /// Names and views of all parameters, in file order.
    pub fn named(&self) -> Result<Vec<(ParameterSpec, Tensor)>> {
        let networks = [&self.policy].into_iter().chain(&self.action_values);
        let networks = networks.chain(&self.state_value).chain(&self.auxiliary_weights);
        let mut named = named(networks)?;
        if let Some(duals) = &self.duals {
            named.extend(duals.named()?);
        }
        Ok(named)
    }
}

impl Targets {
    /// All zero.
    pub fn zeros(networks: &Networks, placement: Placement) -> Result<Self> {
        Ok(Self {
            state_value: zeros_if_any(&networks.target_state_value, placement)?,
            action_values: zeros(&networks.target_action_values, placement)?,
            policy: zeros_if_any(&networks.target_policy, placement)?,
        })
    }

    /// Names and views of all parameters, in file order.
    pub fn named(&self) -> Result<Vec<(ParameterSpec, Tensor)>> {
        named(self.state_value.iter().chain(&self.action_values).chain(&self.policy))
    }

    /// Moves the targets of a step's halves a share `rate` of the way to the trained networks.
    pub fn follow(&mut self, trained: &Trained, step: Step, rate: f64) -> Result<()> {
        if step.has_m() {
            for (target, online) in self.state_value.iter_mut().zip(&trained.state_value) {
                target_update(&mut target.values, &online.values, rate)?;
            }
            for (target, online) in self.action_values.iter_mut().zip(&trained.action_values) {
                target_update(&mut target.values, &online.values, rate)?;
            }
        }
        if step.has_e()
            && let Some(target) = &mut self.policy
        {
            target_update(&mut target.values, &trained.policy.values, rate)?;
        }
        Ok(())
    }
}

/// A network that another part of the recipe reads.
///
/// # Errors
/// `RECIPE_UNSUPPORTED` where the recipe has none, which `Recipe::expect_coherent` rules out.
pub fn expect_part<'a, T>(part: Option<&'a T>, name: &str) -> Result<&'a T> {
    part.ok_or_else(|| EngineError::RecipeUnsupported {
        engine: "tensor",
        recipe: format!("a recipe that reads {name} and has none"),
    })
}

fn zeros(networks: &[Vec<LayerSpec>], placement: Placement) -> Result<Vec<Network>> {
    networks.iter().map(|layers| Network::zeros(layers.clone(), placement)).collect()
}

fn zeros_if_any(layers: &Option<Vec<LayerSpec>>, placement: Placement) -> Result<Option<Network>> {
    layers.as_ref().map(|layers| Network::zeros(layers.clone(), placement)).transpose()
}

fn named<'a>(networks: impl Iterator<Item = &'a Network>) -> Result<Vec<(ParameterSpec, Tensor)>> {
    let named: Vec<_> = networks.map(Network::named).collect::<Result<_>>()?;
    Ok(named.into_iter().flatten().collect())
}
