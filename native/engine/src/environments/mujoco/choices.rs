//! What a user may choose of a task beside its id: a model file, a task in JSON, options.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::error::{EngineError, Result};

/// Keys of a choice that name files; every other key is an option of the task.
const MODEL_FILE: &str = "modelFile";
const TASK_FILE: &str = "taskFile";

/// Everything about an environment that its id does not say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Choices {
    /// The user's own MJCF, in place of the task's.
    pub model_file: Option<PathBuf>,
    /// The user's own task, in place of a built-in one; needs `model_file`.
    pub task_file: Option<PathBuf>,
    /// Options of the task, by Gymnasium's names in camelCase.
    pub options: Map<String, Value>,
}

impl Choices {
    /// Reads `{"modelFile": ..., "taskFile": ..., OPTION: ...}`; null is as good as left out.
    ///
    /// # Errors
    /// `CONFIG_TYPE` for text that is no JSON object, and for file names that are no text.
    pub fn from_json(text: &str) -> Result<Self> {
        let refuse = |name: &str, expected: &str, got: &str| EngineError::OptionType {
            name: name.to_owned(),
            expected: expected.to_owned(),
            got: got.to_owned(),
        };
        let mut options: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| refuse("env", "a JSON object", text))?;
        options.retain(|_, value| !value.is_null());
        let mut file = |key: &str| match options.remove(key) {
            None => Ok(None),
            Some(Value::String(path)) => Ok(Some(PathBuf::from(path))),
            Some(other) => Err(refuse(&format!("env.{key}"), "the name of a file", &other.to_string())),
        };
        let (model_file, task_file) = (file(MODEL_FILE)?, file(TASK_FILE)?);
        Ok(Self { model_file, task_file, options })
    }

    /// The same with one more option.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.options.insert(name.to_owned(), value.into());
        self
    }
}
