//! Options of a task: Gymnasium's constructor arguments in camelCase. A row asks for them one by one, with name,
//! default and what is allowed; what it asked for is the list of its options, and nothing else is accepted.

use serde_json::Value;

use crate::error::{EngineError, Result};

/// What an option's value may be, and its default.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Any finite number.
    Weight(f64),
    /// A number from 0 to [`MOST_NOISE`].
    Scale(f64),
    /// A whole number from 1 to [`MOST_PHYSICS_STEPS`].
    Count(usize),
    /// True or false.
    Flag(bool),
    /// Two numbers, the first below the second; null for no bound on that side.
    Interval([f64; 2]),
    /// A name in the model.
    Text(&'static str),
}

/// More physics steps in one environment step are a slip of the keyboard.
pub const MOST_PHYSICS_STEPS: usize = 10_000;
/// Noise of a start state beyond this is no start of anything; MuJoCo calls a state unstable at 1e10.
pub const MOST_NOISE: f64 = 1e6;

impl Kind {
    /// What is allowed, in words.
    pub const fn expected(&self) -> &'static str {
        match self {
            Self::Weight(_) => "a finite number",
            Self::Scale(_) => "a number from 0 to 1e6",
            Self::Count(_) => "a whole number from 1 to 10000",
            Self::Flag(_) => "true or false",
            Self::Interval(_) => "a list of two numbers, the first below the second; null for no bound",
            Self::Text(_) => "a name in the model",
        }
    }

    /// Short name, for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Weight(_) => "weight",
            Self::Scale(_) => "scale",
            Self::Count(_) => "count",
            Self::Flag(_) => "flag",
            Self::Interval(_) => "interval",
            Self::Text(_) => "text",
        }
    }

    /// The error of a value that is not allowed: of another type, or outside the range.
    fn refuse(&self, name: &str, value: &Value) -> EngineError {
        let (name, expected, got) = (format!("env.{name}"), self.expected().to_owned(), value.to_string());
        let is_of_type = match self {
            Self::Weight(_) | Self::Scale(_) | Self::Count(_) => value.is_number(),
            Self::Flag(_) => value.is_boolean(),
            Self::Interval(_) => value.is_array(),
            Self::Text(_) => value.is_string(),
        };
        if is_of_type {
            EngineError::OptionRefused { name, expected, got }
        } else {
            EngineError::OptionType { name, expected, got }
        }
    }

    /// The default as JSON.
    pub fn default_value(&self) -> Value {
        match *self {
            Self::Weight(value) | Self::Scale(value) => Value::from(value),
            Self::Count(value) => Value::from(value),
            Self::Flag(value) => Value::from(value),
            // JSON has no infinity: `from` makes it null
            Self::Interval(range) => Value::from(range.map(Value::from).to_vec()),
            Self::Text(value) => Value::from(value),
        }
    }
}

/// An option that a row asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// Gymnasium's name in camelCase.
    pub name: &'static str,
    /// Default and what is allowed.
    pub kind: Kind,
}

/// What was given by name, and what a row asks for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    given: serde_json::Map<String, Value>,
    declared: Vec<Declared>,
    /// Why the first refused value was.
    refused: Option<EngineError>,
}

impl Options {
    /// Options with these values.
    pub fn new(given: serde_json::Map<String, Value>) -> Self {
        Self { given, ..Self::default() }
    }

    /// A finite number.
    pub fn weight(&mut self, name: &'static str, default: f64) -> f64 {
        self.ask(name, Kind::Weight(default), default, finite)
    }

    /// A number from 0 to [`MOST_NOISE`].
    pub fn scale(&mut self, name: &'static str, default: f64) -> f64 {
        self.ask(name, Kind::Scale(default), default, |value| {
            finite(value).filter(|number| (0.0..=MOST_NOISE).contains(number))
        })
    }

    /// A whole number of physics steps.
    pub fn count(&mut self, name: &'static str, default: usize) -> usize {
        let whole = |value: &Value| {
            let number = finite(value).filter(|number| number.fract() == 0.0)?;
            (1.0..=MOST_PHYSICS_STEPS as f64).contains(&number).then_some(number as usize)
        };
        self.ask(name, Kind::Count(default), default, whole)
    }

    /// True or false.
    pub fn flag(&mut self, name: &'static str, default: bool) -> bool {
        self.ask(name, Kind::Flag(default), default, Value::as_bool)
    }

    /// Two numbers, the first below the second.
    pub fn interval(&mut self, name: &'static str, default: [f64; 2]) -> [f64; 2] {
        self.ask(name, Kind::Interval(default), default, interval)
    }

    /// A name in the model.
    pub fn text(&mut self, name: &'static str, default: &'static str) -> String {
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        self.ask(name, Kind::Text(default), default.to_owned(), text)
    }

    fn ask<T>(
        &mut self,
        name: &'static str,
        kind: Kind,
        default: T,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> T {
        if let Some(value) = self.given.get(name) {
            match read(value) {
                Some(value) => {
                    self.declared.push(Declared { name, kind });
                    return value;
                }
                None => {
                    self.refused.get_or_insert_with(|| kind.refuse(name, value));
                }
            }
        }
        self.declared.push(Declared { name, kind });
        default
    }

    /// What the row of task `id` asked for, once it has asked for everything.
    ///
    /// # Errors
    /// `CONFIG_UNKNOWN_KEY` for a value that no row's option took, naming the task's own; `CONFIG_TYPE` for a value of
    /// another type, `CONFIG_RANGE` for one outside what is allowed.
    pub fn finish(self, id: &str) -> Result<Vec<Declared>> {
        let known = || self.declared.iter().map(|declared| declared.name);
        if let Some(name) = self.given.keys().find(|name| known().all(|known| known != name.as_str())) {
            let known: Vec<&str> = known().collect();
            let known = if known.is_empty() { "it has none".to_owned() } else { known.join(", ") };
            return Err(EngineError::OptionUnknown { id: id.to_owned(), name: name.clone(), known });
        }
        self.refused.map_or(Ok(self.declared), Err)
    }
}

fn finite(value: &Value) -> Option<f64> {
    value.as_f64().filter(|number| number.is_finite())
}

fn interval(value: &Value) -> Option<[f64; 2]> {
    let [low, high] = value.as_array()?.as_slice() else { return None };
    let end = |value: &Value, open: f64| if value.is_null() { Some(open) } else { finite(value) };
    let (low, high) = (end(low, f64::NEG_INFINITY)?, end(high, f64::INFINITY)?);
    (low < high).then_some([low, high])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, Options};

    fn options(given: serde_json::Value) -> Options {
        Options::new(given.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn what_is_not_given_is_the_default() {
        let mut options = options(json!({}));
        assert_eq!(options.weight("a", 0.5), 0.5);
        assert_eq!(options.interval("b", [0.0, f64::INFINITY]), [0.0, f64::INFINITY]);
        let declared = options.finish("Task").unwrap();
        assert_eq!(declared.iter().map(|option| option.name).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(declared[1].kind.default_value(), json!([0.0, null]));
    }

    #[test]
    fn what_is_given_is_read_by_kind() {
        let mut options =
            options(json!({"a": -2, "b": 3, "c": [null, 2], "d": false, "e": "torso", "f": 0.25}));
        assert_eq!(options.weight("a", 1.0), -2.0);
        assert_eq!(options.count("b", 1), 3);
        assert_eq!(options.interval("c", [0.0, 1.0]), [f64::NEG_INFINITY, 2.0]);
        assert!(!options.flag("d", true));
        assert_eq!(options.text("e", "x"), "torso");
        assert_eq!(options.scale("f", 0.0), 0.25);
        assert_eq!(options.finish("Task").unwrap().len(), 6);
    }

    #[test]
    fn an_option_nobody_asked_for_is_answered_with_the_tasks_own() {
        let mut asked = options(json!({"ctrlCost": 1}));
        let _ = asked.weight("ctrlCostWeight", 0.1);
        let error = asked.finish("Hopper-v5").unwrap_err();
        assert_eq!(error.code(), "CONFIG_UNKNOWN_KEY");
        assert!(error.to_string().contains("ctrlCostWeight"), "{error}");
    }

    #[test]
    fn values_outside_what_is_allowed_are_refused() {
        // (what is allowed, values of another type or outside the range)
        for (kind, values) in [
            (Kind::Weight(0.0), vec![json!("x"), json!(null), json!(true), json!([1])]),
            (Kind::Scale(0.0), vec![json!(-1e-9), json!(1.001e6), json!("0")]),
            (Kind::Count(1), vec![json!(0), json!(1.5), json!(10_001), json!(-1)]),
            (Kind::Flag(true), vec![json!(1), json!("true"), json!(null)]),
            (
                Kind::Interval([0.0, 1.0]),
                vec![json!([1, 0]), json!([1, 1]), json!([1]), json!(1), json!(["a", 2])],
            ),
            (Kind::Text("torso"), vec![json!(""), json!(1)]),
        ] {
            for value in values {
                let mut options = options(json!({ "option": value }));
                match kind {
                    Kind::Weight(default) => drop(options.weight("option", default)),
                    Kind::Scale(default) => drop(options.scale("option", default)),
                    Kind::Count(default) => drop(options.count("option", default)),
                    Kind::Flag(default) => drop(options.flag("option", default)),
                    Kind::Interval(default) => drop(options.interval("option", default)),
                    Kind::Text(default) => drop(options.text("option", default)),
                }
                let error = options.finish("Task").unwrap_err();
                assert!(["CONFIG_RANGE", "CONFIG_TYPE"].contains(&error.code()), "{value}: {error}");
                assert!(error.to_string().contains(kind.expected()), "{error}");
            }
        }
    }
}
