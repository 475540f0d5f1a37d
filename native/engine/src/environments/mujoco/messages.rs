//! MuJoCo's own messages: kept in memory, never printed and never written to a file of the user's.

use std::collections::VecDeque;
use std::io::Write;
use std::panic::catch_unwind;
use std::sync::{Mutex, Once, PoisonError};

use mujoco_rs::logging::set_log_handler;
use mujoco_rs::wrappers::mj_logging::{MjLogMessage, MjtLogLevel, log_config, set_log_config};

/// How many warnings are kept: the latest ones. An unstable simulation can warn on every step.
const KEPT: usize = 64;

static INSTALL: Once = Once::new();
static WARNINGS: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// The latest of MuJoCo's warnings (at most 64) since the last call, oldest first; no two neighbours are equal.
pub fn take_warnings() -> Vec<String> {
    let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
    warnings.drain(..).collect()
}

/// Routes MuJoCo's messages here, once; called before anything else of MuJoCo.
pub(super) fn install() {
    INSTALL.call_once(|| {
        // SAFETY: nothing in this process uses MuJoCo yet. Every use begins with a model, models are loaded by
        // `model::load` alone, and that calls this first, where all other threads wait for the once to end.
        unsafe {
            set_log_handler(keep);
            // the bridge asks for every progress report, some of them per step; none is wanted
            set_log_config(log_config().with_topics(0).with_logto_console(false).with_logto_file(false));
        }
    });
}

/// Keeps a warning. It is called from C: it must not panic.
fn keep(message: &MjLogMessage) {
    match message.level() {
        MjtLogLevel::mjLOG_DEBUG | MjtLogLevel::mjLOG_INFO => {}
        MjtLogLevel::mjLOG_WARNING => {
            let text = words(message);
            let mut warnings = WARNINGS.lock().unwrap_or_else(PoisonError::into_inner);
            if warnings.back() != Some(&text) {
                if warnings.len() == KEPT {
                    warnings.pop_front();
                }
                warnings.push_back(text);
            }
        }
        // MuJoCo cannot go on after an error raised while stepping and the process ends when this returns:
        // whoever reads its output must learn why
        MjtLogLevel::mjLOG_ERROR => {
            let _ = writeln!(std::io::stderr(), "error MUJOCO_FATAL: {}", words(message));
        }
    }
}

/// The message's text. The bridge panics on text that is not UTF-8, such as a name in a model file.
fn words(message: &MjLogMessage) -> String {
    catch_unwind(|| message.subject().to_owned()).unwrap_or_else(|_| "message is not UTF-8".to_owned())
}
