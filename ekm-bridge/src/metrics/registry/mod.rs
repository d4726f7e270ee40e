//! Families of series, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::exposition;
use super::value::{Counter, Gauge, Histogram};

/// The most series of one family. Whatever comes after is counted together, under `other` in every label: a label that
/// a client chooses must not fill the memory.
pub const MAX_SERIES: usize = 5000;

const OTHER: &str = "other";

/// All metrics of a process. Cheap to clone; the clones share everything.
#[derive(Clone, Default)]
pub struct Registry {
    families: Arc<Mutex<BTreeMap<String, Arc<dyn Exposed>>>>,
}

/// A name that the text format does not allow, or that is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Not `[a-zA-Z_:][a-zA-Z0-9_:]*` for a metric, `[a-zA-Z_][a-zA-Z0-9_]*` for a label; `le` and names that begin
    /// with `__` belong to Prometheus.
    #[error("{0:?} cannot be the name of a metric or label")]
    Syntax(String),
    /// The name of a counter ends with `_total`, and no other name does.
    #[error("{0:?}: the names of counters, and only they, end with _total")]
    Suffix(String),
    /// Registered before.
    #[error("there is a metric {0:?} already")]
    Taken(String),
}

/// A family as the writer sees it.
pub(super) trait Exposed: Send + Sync {
    fn write(&self, text: &mut String);
}

/// Series of one kind that differ in their label values.
pub struct Family<T> {
    name: String,
    help: String,
    labels: Vec<String>,
    new: fn() -> T,
    series: Mutex<BTreeMap<Vec<String>, Arc<T>>>,
}

impl Registry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A family of counters; its name ends with `_total`.
    ///
    /// # Errors
    /// When a name is not one or is taken.
    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<Arc<Family<Counter>>, BadName> {
        self.family(name, help, labels, Counter::default)
    }

    /// A family of gauges.
    ///
    /// # Errors
    /// When a name is not one or is taken.
    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Result<Arc<Family<Gauge>>, BadName> {
        self.family(name, help, labels, Gauge::default)
    }

    /// A family of histograms over [`super::LATENCY_BUCKETS`]; its name ends with the unit, `_seconds`.
    ///
    /// # Errors
    /// When a name is not one or is taken.
    pub fn latencies(&self, name: &str, help: &str, labels: &[&str]) -> Result<Arc<Family<Histogram>>, BadName> {
        self.family(name, help, labels, || Histogram::new(&super::LATENCY_BUCKETS))
    }

    fn family<T>(&self, name: &str, help: &str, labels: &[&str], new: fn() -> T) -> Result<Arc<Family<T>>, BadName>
    where
        T: exposition::Kind + Send + Sync + 'static,
    {
        check_names(name, labels)?;
        if name.ends_with("_total") != (T::KIND == "counter") {
            return Err(BadName::Suffix(name.to_owned()));
        }
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        let (name, help) = (name.to_owned(), help.to_owned());
        let family = Arc::new(Family { name: name.clone(), help, labels, new, series: Mutex::default() });
        let mut families = lock(&self.families);
        if families.contains_key(&name) {
            return Err(BadName::Taken(name));
        }
        families.insert(name, family.clone());
        Ok(family)
    }

    /// Everything, as the body of an answer of [`super::CONTENT_TYPE`].
    #[must_use]
    pub fn expose(&self) -> String {
        let mut text = String::new();
        lock(&self.families).values().for_each(|family| family.write(&mut text));
        text
    }
}

impl<T> Family<T> {
    /// The series with these label values, in the order of the label names; made at first use. Missing values are empty
    /// and further ones are ignored.
    #[must_use]
    pub fn with(&self, values: &[&str]) -> Arc<T> {
        let mut key: Vec<String> = values.iter().map(|&value| value.to_owned()).collect();
        key.resize(self.labels.len(), String::new());
        let mut series = lock(&self.series);
        if series.len() >= MAX_SERIES && !series.contains_key(&key) {
            key.fill(OTHER.to_owned());
        }
        series.entry(key).or_insert_with(|| Arc::new((self.new)())).clone()
    }

    /// Forgets every series: a volume or a certificate that is gone must not be reported for ever.
    pub fn clear(&self) {
        lock(&self.series).clear();
    }
}

impl<T: exposition::Kind + Send + Sync> Exposed for Family<T> {
    fn write(&self, text: &mut String) {
        let series = lock(&self.series);
        if series.is_empty() {
            return;
        }
        exposition::header(text, &self.name, &self.help, T::KIND);
        for (values, value) in series.iter() {
            let labels: Vec<(&str, &str)> =
                self.labels.iter().map(String::as_str).zip(values.iter().map(String::as_str)).collect();
            value.write(text, &self.name, &labels);
        }
    }
}

/// A panic elsewhere must not end monitoring: the maps behind these locks are whole between any two statements.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_names(name: &str, labels: &[&str]) -> Result<(), BadName> {
    let word = |text: &str, colon: bool| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':');
        text.starts_with(|c: char| !c.is_ascii_digit()) && text.chars().all(allowed)
    };
    let label_ok = |label: &&str| word(label, false) && *label != "le" && !label.starts_with("__");
    let bad =
        Some(name).filter(|name| !word(name, true)).or_else(|| labels.iter().copied().find(|label| !label_ok(label)));
    bad.map_or(Ok(()), |bad| Err(BadName::Syntax(bad.to_owned())))
}

#[cfg(test)]
mod tests;
