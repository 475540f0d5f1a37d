//! The road of an error: engine enum, stable code, JavaScript error whose `code` is that string.

use napi::{Env, JsError};
use virel_engine::error::EngineError;

/// As thrown by a synchronous entry.
pub fn to_js(error: EngineError) -> napi::Error<String> {
    napi::Error::new(error.code().to_owned(), error.to_string())
}

/// As rejected by a promise: napi replaces the code of a plain rejection, so the error object is made here, on the
/// JavaScript thread, and rejected as it is.
pub fn to_rejection(env: Env, error: EngineError) -> napi::Error {
    napi::Error::from(JsError::from(to_js(error)).into_unknown(env))
}
