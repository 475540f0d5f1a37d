//! What a session's future depends on beside its config, by name. One description of each part serves both ways, to write
//! it down and to take it up, so that the two cannot differ.

use std::collections::BTreeMap;

use crate::error::{EngineError, Result};
use crate::random::Stream;

/// Named numbers of a ledger.
pub type Entries = BTreeMap<String, Values>;

/// Numbers of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Of learners.
    F32(Vec<f32>),
    /// Of simulators.
    F64(Vec<f64>),
    /// Counts and places.
    U64(Vec<u64>),
}

/// A kind of number that a ledger holds.
pub trait Number: Copy {
    /// As values.
    fn wrap(values: Vec<Self>) -> Values;
    /// Back; None of another kind.
    fn unwrap(values: Values) -> Option<Vec<Self>>;
    /// For a look at whether it is finite.
    fn to_f64(self) -> f64;
}

impl Number for f32 {
    fn wrap(values: Vec<Self>) -> Values {
        Values::F32(values)
    }
    fn unwrap(values: Values) -> Option<Vec<Self>> {
        if let Values::F32(values) = values { Some(values) } else { None }
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Number for f64 {
    fn wrap(values: Vec<Self>) -> Values {
        Values::F64(values)
    }
    fn unwrap(values: Values) -> Option<Vec<Self>> {
        if let Values::F64(values) = values { Some(values) } else { None }
    }
    fn to_f64(self) -> f64 {
        self
    }
}

impl Number for u64 {
    fn wrap(values: Vec<Self>) -> Values {
        Values::U64(values)
    }
    fn unwrap(values: Values) -> Option<Vec<Self>> {
        if let Values::U64(values) = values { Some(values) } else { None }
    }
    fn to_f64(self) -> f64 {
        self as f64
    }
}

/// Which way numbers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// From the session.
    Write,
    /// Into it.
    Read,
}

/// Entries on their way from a session, or into one.
#[derive(Debug)]
pub struct Ledger {
    direction: Direction,
    entries: Entries,
    /// Of every name from here on; ends with a point, or is empty.
    prefix: String,
}

impl Ledger {
    /// An empty one, to be written.
    pub const fn writing() -> Self {
        Self { direction: Direction::Write, entries: BTreeMap::new(), prefix: String::new() }
    }

    /// One to be read.
    pub const fn reading(entries: Entries) -> Self {
        Self { direction: Direction::Read, entries, prefix: String::new() }
    }

    /// Whether numbers go into the session.
    pub const fn is_reading(&self) -> bool {
        matches!(self.direction, Direction::Read)
    }

    /// What was written.
    ///
    /// # Errors
    /// `CHECKPOINT_CORRUPT` where something was not read.
    pub fn finish(self) -> Result<Entries> {
        match (self.direction, self.entries.first_key_value()) {
            (Direction::Read, Some((name, _))) => Err(corrupt(format!("{name}: no part of this session"))),
            _ => Ok(self.entries),
        }
    }

    /// Everything that `part` names is named `name.` and so on.
    ///
    /// # Errors
    /// Those of `part`.
    pub fn section(&mut self, name: &str, part: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let outer = self.prefix.len();
        self.prefix.push_str(name);
        self.prefix.push('.');
        let done = part(self);
        self.prefix.truncate(outer);
        done
    }

    /// Numbers, as many as there are now.
    ///
    /// # Errors
    /// `CHECKPOINT_CORRUPT` of what is missing, of another kind or length; `NOT_FINITE` of what cannot be written.
    pub fn values<N: Number>(&mut self, name: &str, values: &mut [N]) -> Result<()> {
        if self.direction == Direction::Write {
            return self.insert(name, values.to_vec());
        }
        let read = self.take::<N>(name)?;
        if read.len() != values.len() {
            let (expected, got) = (values.len(), read.len());
            return Err(corrupt(format!("{}: expected {expected} values, got {got}", self.named(name))));
        }
        values.copy_from_slice(&read);
        Ok(())
    }

    /// A list of any length.
    ///
    /// # Errors
    /// As [`Self::values`], but of any length.
    pub fn list<N: Number>(&mut self, name: &str, list: &mut Vec<N>) -> Result<()> {
        match self.direction {
            Direction::Write => self.insert(name, list.clone()),
            Direction::Read => self.take(name).map(|read| *list = read),
        }
    }

    /// One number.
    ///
    /// # Errors
    /// As [`Self::values`].
    pub fn value<N: Number>(&mut self, name: &str, value: &mut N) -> Result<()> {
        self.values(name, std::slice::from_mut(value))
    }

    /// One number, or none.
    ///
    /// # Errors
    /// As [`Self::list`]; `CHECKPOINT_CORRUPT` of several.
    pub fn optional<N: Number>(&mut self, name: &str, value: &mut Option<N>) -> Result<()> {
        let mut list: Vec<N> = value.iter().copied().collect();
        self.list(name, &mut list)?;
        if list.len() > 1 {
            return Err(corrupt(format!(
                "{}: expected at most 1 value, got {}",
                self.named(name),
                list.len()
            )));
        }
        *value = list.first().copied();
        Ok(())
    }

    /// Whether something is so.
    ///
    /// # Errors
    /// As [`Self::values`].
    pub fn flag(&mut self, name: &str, flag: &mut bool) -> Result<()> {
        let mut word = u64::from(*flag);
        self.value(name, &mut word)?;
        *flag = word != 0;
        Ok(())
    }

    /// A number that is counted in a `usize`.
    ///
    /// # Errors
    /// As [`Self::values`].
    pub fn index(&mut self, name: &str, index: &mut usize) -> Result<()> {
        let mut word = *index as u64;
        self.value(name, &mut word)?;
        *index = word as usize;
        Ok(())
    }

    /// Where a stream stands.
    ///
    /// # Errors
    /// As [`Self::values`].
    pub fn stream(&mut self, name: &str, stream: &mut Stream) -> Result<()> {
        let position = stream.position();
        let mut words = [position as u64, (position >> 64) as u64];
        self.values(name, &mut words)?;
        stream.seek(u128::from(words[0]) | u128::from(words[1]) << 64);
        Ok(())
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn insert<N: Number>(&mut self, name: &str, values: Vec<N>) -> Result<()> {
        let name = self.named(name);
        if let Some(index) = first_not_finite(&values) {
            return Err(EngineError::NotFinite { name: name.into(), index, value: values[index].to_f64() });
        }
        match self.entries.insert(name.clone(), N::wrap(values)) {
            None => Ok(()),
            Some(_) => Err(EngineError::Panic { reason: format!("{name} was written twice") }),
        }
    }

    fn take<N: Number>(&mut self, name: &str) -> Result<Vec<N>> {
        let name = self.named(name);
        let values = self.entries.remove(&name).and_then(N::unwrap);
        let values = values.ok_or_else(|| corrupt(format!("{name}: missing, or of another kind")))?;
        match first_not_finite(&values) {
            Some(index) => Err(corrupt(format!("{name}[{index}] is not finite"))),
            None => Ok(values),
        }
    }
}

fn first_not_finite<N: Number>(values: &[N]) -> Option<usize> {
    values.iter().position(|value| !value.to_f64().is_finite())
}

fn corrupt(reason: String) -> EngineError {
    EngineError::CheckpointCorrupt { path: "the training state".to_owned(), reason }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, Values};
    use crate::error::Result;
    use crate::random::{Purpose, Stream};

    /// Something with every kind of part.
    #[derive(Debug, Clone, PartialEq)]
    struct Part {
        weights: [f32; 3],
        places: Vec<f64>,
        count: u64,
        last: Option<f32>,
        turn: usize,
    }

    impl Part {
        fn state(&mut self, ledger: &mut Ledger) -> Result<()> {
            ledger.section("inner", |ledger| {
                ledger.values("weights", &mut self.weights)?;
                ledger.list("places", &mut self.places)?;
                ledger.value("count", &mut self.count)
            })?;
            ledger.optional("last", &mut self.last)?;
            ledger.index("turn", &mut self.turn)
        }
    }

    fn written() -> (Part, super::Entries) {
        let mut part =
            Part { weights: [1.5, -0.0, 3e-40], places: vec![0.1, 2.0], count: 7, last: None, turn: 3 };
        let mut ledger = Ledger::writing();
        part.state(&mut ledger).unwrap();
        (part, ledger.finish().unwrap())
    }

    fn read(entries: super::Entries) -> Result<Part> {
        let mut part = Part { weights: [0.0; 3], places: vec![9.0], count: 0, last: Some(1.0), turn: 0 };
        let mut ledger = Ledger::reading(entries);
        part.state(&mut ledger)?;
        ledger.finish()?;
        Ok(part)
    }

    #[test]
    fn what_was_written_is_taken_up_bit_for_bit() {
        let (part, entries) = written();
        assert!(entries.contains_key("inner.weights"));
        let read = read(entries).unwrap();
        assert_eq!(read, part);
        assert_eq!(read.weights.map(f32::to_bits), part.weights.map(f32::to_bits));
    }

    #[test]
    fn whatever_is_missing_too_much_or_of_another_shape_is_refused() {
        let (_, entries) = written();
        for name in entries.keys() {
            let mut less = entries.clone();
            less.remove(name);
            assert_eq!(read(less).unwrap_err().code(), "CHECKPOINT_CORRUPT", "without {name}");
            let mut other = entries.clone();
            other.insert(name.clone(), Values::F32(vec![1.0; 5]));
            assert_eq!(read(other).unwrap_err().code(), "CHECKPOINT_CORRUPT", "another {name}");
        }
        let mut more = entries.clone();
        more.insert("unknown".to_owned(), Values::U64(vec![]));
        assert!(read(more).unwrap_err().to_string().contains("unknown"));
        let mut broken = entries;
        broken.insert("inner.places".to_owned(), Values::F64(vec![0.0, f64::NAN]));
        assert!(read(broken).unwrap_err().to_string().contains("inner.places[1]"));
    }

    #[test]
    fn what_is_not_finite_is_not_written() {
        let (mut part, _) = written();
        part.weights[1] = f32::NAN;
        let error = part.state(&mut Ledger::writing()).unwrap_err();
        assert!(error.to_string().contains("inner.weights[1]"), "{error}");
    }

    #[test]
    fn a_stream_goes_on_where_it_stood() {
        let mut stream = Stream::new(3, Purpose::Action, 1);
        let mut skipped = [0.0; 1001];
        stream.fill_normal(&mut skipped);
        let mut ledger = Ledger::writing();
        ledger.stream("action", &mut stream).unwrap();
        let mut resumed = Stream::new(3, Purpose::Action, 1);
        Ledger::reading(ledger.finish().unwrap()).stream("action", &mut resumed).unwrap();
        assert_eq!(resumed.uniform().to_bits(), stream.uniform().to_bits());
    }
}
