//! The engine's one error type: an enum, one stable code per variant. Messages read
//! *name, expected, got*; the binding hands the code to JavaScript unchanged.

use std::borrow::Cow;

use crate::memory::in_words;

/// Result of every fallible engine call.
pub type Result<T> = std::result::Result<T, EngineError>;

/// Everything that can go wrong inside the engine.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A slice has the wrong number of values.
    #[error("{name}: expected {expected} values, got {got}")]
    LengthMismatch {
        /// The argument.
        name: &'static str,
        /// Values it must have.
        expected: usize,
        /// Values it has.
        got: usize,
    },
    /// A value is NaN or infinite.
    #[error("{name}[{index}]: expected a finite number, got {value}")]
    NotFinite {
        /// The argument.
        name: Cow<'static, str>,
        /// Position of the first such value.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A number lies outside its range.
    #[error("{name}: expected {expected}, got {got}")]
    OutOfRange {
        /// The option.
        name: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// What was given.
        got: String,
    },
    /// A parameter has an unknown name or another shape.
    #[error("parameter {name}: expected {expected}, got {got}")]
    ParameterShape {
        /// The parameter.
        name: String,
        /// Its shape, or the known names.
        expected: String,
        /// What was given.
        got: String,
    },
    /// No task has this id.
    #[error("{id} is not provided: {advice}")]
    EnvironmentUnknown {
        /// What was asked for.
        id: String,
        /// Which id to use instead, or all of them.
        advice: String,
    },
    /// The model file of a task is not where it should be.
    #[error("{path}: no such model file")]
    ModelMissing {
        /// Where it was looked for.
        path: String,
    },
    /// MuJoCo refuses a model file.
    #[error("{path}: {reason}")]
    ModelInvalid {
        /// The file.
        path: String,
        /// MuJoCo's words.
        reason: String,
    },
    /// A model file loads but is not the task's model.
    #[error("{path}: {quantity}: expected {expected}, got {got}")]
    ModelFingerprint {
        /// The file.
        path: String,
        /// What differs: bodies, mass, nq, nv, nu.
        quantity: &'static str,
        /// The task's own.
        expected: f64,
        /// The file's.
        got: f64,
    },
    /// No model file of this task is shipped.
    #[error("{id} has no model file of its own: env.modelFile must name {needed}")]
    ModelNotShipped {
        /// The task.
        id: String,
        /// Which file it takes, and where that is found.
        needed: String,
    },
    /// A task file of the user's cannot be used.
    #[error("{path}:{line}: {reason}")]
    TaskInvalid {
        /// The file.
        path: String,
        /// Line of what is wrong, counted from 1.
        line: usize,
        /// What is wrong with it, and what would have been accepted.
        reason: String,
    },
    /// A task does not have this option.
    #[error("{id} has no option env.{name}; its own: {known}")]
    OptionUnknown {
        /// The task.
        id: String,
        /// The option.
        name: String,
        /// The task's options.
        known: String,
    },
    /// An option's value lies outside what is allowed.
    #[error("{name}: expected {expected}, got {got}")]
    OptionRefused {
        /// The option, `env.` included.
        name: String,
        /// What is allowed.
        expected: String,
        /// What was given.
        got: String,
    },
    /// An option is of another type.
    #[error("{name}: expected {expected}, got {got}")]
    OptionType {
        /// The option, `env.` included.
        name: String,
        /// The type.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A part of the reward is not finite: a defect of the task, not of the simulator.
    #[error("the reward's part {part} is {value}")]
    RewardNotFinite {
        /// The part's name.
        part: String,
        /// Its value.
        value: f64,
    },
    /// A reward as it would be stored is not finite in float32.
    #[error(
        "step {step}: reward {reward} times rewardScale {scale} is beyond float32, in which it would be stored"
    )]
    RewardTooLarge {
        /// Environment steps so far.
        step: u64,
        /// The environment's reward.
        reward: f64,
        /// The factor.
        scale: f64,
    },
    /// The simulator left the range of numbers it can continue from.
    #[error("simulator unstable: {reason}")]
    Unstable {
        /// Which quantity.
        reason: String,
    },
    /// Noise was asked of a policy that is one action per state.
    #[error("the policy is deterministic: tanh of its mean is all of it, there is nothing to draw from")]
    PolicyDeterministic,
    /// One of several environments failed.
    #[error("environment {index}: {error}")]
    OfEnvironment {
        /// Which one, from 0.
        index: usize,
        /// How.
        error: Box<EngineError>,
    },
    /// One of several environments cannot be stepped.
    #[error("environment {index}: expected a reset before this step: its episode has ended, or never began")]
    ResetNeeded {
        /// Which one, from 0.
        index: usize,
    },
    /// Too many unstable states: the task cannot be trained on like this.
    #[error("{count} unstable states in {steps} steps (limit {limit}), last: {reason}")]
    SimulatorUnstable {
        /// How many were seen.
        count: u64,
        /// In how many environment steps.
        steps: u64,
        /// How many were allowed.
        limit: u64,
        /// The last of them.
        reason: String,
    },
    /// Learning produced a value that is not finite.
    #[error(
        "step {step}, gradient step {updates}: {quantity} is {value}; the parameters are those after gradient step \
         {kept}"
    )]
    Diverged {
        /// Environment steps so far.
        step: u64,
        /// Gradient steps so far.
        updates: u64,
        /// Which quantity.
        quantity: String,
        /// Its value.
        value: f64,
        /// Gradient steps after which the parameters were copied that the learner now has again.
        kept: u64,
    },
    /// A policy's action is not a finite number.
    #[error("step {step}: the policy's action[{index}] is {value}")]
    ActionNotFinite {
        /// Environment steps so far.
        step: u64,
        /// Action dimension.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The session has no environment of its own: the caller steps one.
    #[error("this session has no environment of its own: step yours between propose and record")]
    ExternalEnvironment,
    /// Weights exp(Q/T) need T > 0: their limit at 0 is another function.
    #[error("temperature: expected a number above 0 for Boltzmann weights, got {got}")]
    TemperatureNotPositive {
        /// T.
        got: f32,
    },
    /// The engine cannot run this recipe.
    #[error("engine {engine} cannot run {recipe}")]
    RecipeUnsupported {
        /// The engine asked for.
        engine: &'static str,
        /// The part it lacks.
        recipe: String,
    },
    /// The device asked for is not there.
    #[error("device {device}: {reason}")]
    DeviceMissing {
        /// As asked for.
        device: String,
        /// What libtorch says.
        reason: String,
    },
    /// A parameter file cannot be used.
    #[error("{path}: {reason}")]
    CheckpointCorrupt {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system refused a file operation.
    #[error("{path}: {reason}")]
    Io {
        /// The file.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// The system has no further thread to give.
    #[error("no thread to run on: {reason}")]
    NoThread {
        /// The system's words.
        reason: String,
    },
    /// More memory would be needed than this process may have.
    #[error("needs {} of memory, {} can be had; {largest}", in_words(*.needed), in_words(*.available))]
    OutOfMemory {
        /// Bytes in all.
        needed: u64,
        /// Bytes that can be had.
        available: u64,
        /// What takes the most, and what to lower.
        largest: String,
    },
    /// libtorch reported an error.
    #[error("libtorch: {reason}")]
    Torch {
        /// First line of its message.
        reason: String,
    },
    /// The handle was disposed or a panic poisoned it.
    #[error("{handle} is closed: {reason}")]
    HandleClosed {
        /// Which handle.
        handle: &'static str,
        /// Why.
        reason: String,
    },
    /// Another call on the handle is still running.
    #[error("{handle} is busy with {with}")]
    HandleBusy {
        /// Which handle.
        handle: &'static str,
        /// The running call.
        with: &'static str,
    },
    /// A panic was caught at the boundary: a defect of this package.
    #[error("internal defect: {reason}")]
    Panic {
        /// The panic's message.
        reason: String,
    },
}

impl EngineError {
    /// The stable code, public API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::LengthMismatch { .. } => "LENGTH_MISMATCH",
            Self::NotFinite { .. } => "NOT_FINITE",
            Self::OutOfRange { .. } => "CONFIG_RANGE",
            Self::ParameterShape { .. } => "PARAMETER_SHAPE",
            Self::EnvironmentUnknown { .. } => "ENV_UNKNOWN",
            Self::ModelMissing { .. } | Self::ModelNotShipped { .. } => "MODEL_MISSING",
            Self::TaskInvalid { .. } => "TASK_INVALID",
            Self::OptionUnknown { .. } => "CONFIG_UNKNOWN_KEY",
            Self::OptionRefused { .. } => "CONFIG_RANGE",
            Self::OptionType { .. } => "CONFIG_TYPE",
            Self::RewardNotFinite { .. } | Self::RewardTooLarge { .. } => "REWARD_NOT_FINITE",
            Self::ModelInvalid { .. } => "MODEL_INVALID",
            Self::ModelFingerprint { .. } => "MODEL_FINGERPRINT",
            Self::PolicyDeterministic => "POLICY_DETERMINISTIC",
            Self::OfEnvironment { error, .. } => error.code(),
            Self::ResetNeeded { .. } => "RESET_NEEDED",
            Self::Unstable { .. } | Self::SimulatorUnstable { .. } => "SIM_UNSTABLE",
            Self::Diverged { .. } | Self::ActionNotFinite { .. } => "DIVERGED",
            Self::ExternalEnvironment => "ENV_EXTERNAL",
            Self::TemperatureNotPositive { .. } => "TEMPERATURE_NOT_POSITIVE",
            Self::RecipeUnsupported { .. } => "RECIPE_UNSUPPORTED",
            Self::DeviceMissing { .. } => "DEVICE_MISSING",
            Self::CheckpointCorrupt { .. } => "CHECKPOINT_CORRUPT",
            Self::Io { .. } => "IO",
            Self::NoThread { .. } | Self::OutOfMemory { .. } => "OUT_OF_MEMORY",
            Self::Torch { .. } => "NATIVE_EXCEPTION",
            Self::HandleClosed { .. } => "HANDLE_CLOSED",
            Self::HandleBusy { .. } => "HANDLE_BUSY",
            Self::Panic { .. } => "PANIC",
        }
    }
}

impl From<tch::TchError> for EngineError {
    fn from(error: tch::TchError) -> Self {
        let text = error.to_string();
        let reason = text.lines().next().unwrap_or_default().to_owned();
        Self::Torch { reason }
    }
}

/// Checks the length of a slice argument.
///
/// # Errors
/// `LENGTH_MISMATCH`.
pub const fn expect_len(name: &'static str, got: usize, expected: usize) -> Result<()> {
    if got == expected { Ok(()) } else { Err(EngineError::LengthMismatch { name, expected, got }) }
}

/// Checks that every value of a slice argument is finite.
///
/// # Errors
/// `NOT_FINITE`, naming the first value that is not.
pub fn expect_finite<F: Copy + Into<f64>>(name: impl Into<Cow<'static, str>>, values: &[F]) -> Result<()> {
    match values.iter().position(|&value| !value.into().is_finite()) {
        None => Ok(()),
        Some(index) => Err(EngineError::NotFinite { name: name.into(), index, value: values[index].into() }),
    }
}
