//! The vocabulary of parts. A learner reads parts and never asks which agent it serves.

/// What Q_w is regressed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionValueTarget {
    /// y_Q = r + γ(1−d) V_φ̄(s′), J_Q of Appendix H.
    TargetStateValue,
}

/// What V_φ is regressed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateValueTarget {
    /// y_V = Q_w(s, ã), ã the policy loss's own action; J_V of Appendix H, no entropy bonus.
    SampledActionValue,
}

/// How the policy gradient is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyGradient {
    /// Through ã = tanh(μ + σξ): ∇ mean[T log π(ã|s) − Q(s, ã)].
    Reparameterised,
}

/// An algorithm, as parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// M-step, Q.
    pub action_value_target: ActionValueTarget,
    /// M-step, V.
    pub state_value_target: StateValueTarget,
    /// E-step.
    pub policy_gradient: PolicyGradient,
}
