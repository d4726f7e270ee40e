//! Which machine a record belongs to.

use std::fs;

/// What Linux tells about the processor.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Machine {
    /// Folder name: vendor, name and number of processors.
    pub slug: String,
    /// The processor's own name.
    pub model: String,
    /// Processors that the benchmarks could use.
    pub cpus: usize,
    /// The instruction sets that matter to AES.
    pub features: Vec<String>,
    /// Kernel release.
    pub kernel: String,
    /// The load of the minute before, as `/proc/loadavg` tells it: about 1 when nothing else ran.
    pub load: String,
}

const FEATURES: [&str; 6] = ["aes", "vaes", "avx2", "avx512f", "pclmulqdq", "vpclmulqdq"];

impl Machine {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let load = read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned();
        let machine = Self::describe(&read("/proc/cpuinfo"), cpus, read("/proc/sys/kernel/osrelease").trim());
        Self { load, ..machine }
    }

    fn describe(cpuinfo: &str, cpus: usize, kernel: &str) -> Self {
        let field = |name: &str| {
            let line = cpuinfo.lines().filter_map(|line| line.split_once(':')).find(|(key, _)| key.trim() == name);
            line.map_or("", |(_, value)| value.trim())
        };
        let model = field("model name").to_owned();
        let flags: Vec<&str> = field("flags").split_whitespace().collect();
        let features = FEATURES.into_iter().filter(|name| flags.contains(name)).map(String::from).collect();
        let mut name = words(&model);
        if !name.contains(|character: char| character.is_ascii_digit()) {
            // A virtual machine often hides the model's number; family and model tell more than nothing.
            name = format!("{name}-{}-{}", field("cpu family"), field("model"));
        }
        Self {
            slug: format!("{name}-{cpus}core"),
            model,
            cpus,
            features,
            kernel: kernel.to_owned(),
            load: String::new(),
        }
    }
}

/// The words of a processor's name that tell it from others, joined by dashes.
fn words(model: &str) -> String {
    let model = model.to_lowercase().replace("(r)", " ").replace("(tm)", " ");
    let model = model.split('@').next().unwrap_or_default();
    let telling = |word: &&str| !["cpu", "processor"].contains(word) && !word.ends_with("-core");
    let words: Vec<&str> = model.split_whitespace().filter(telling).collect();
    if words.is_empty() { "unknown".into() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_named_after_the_processor() {
        let slug = |model: &str| {
            let cpuinfo = format!("processor\t: 0\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: {model}\n");
            Machine::describe(&cpuinfo, 2, "6.1").slug
        };
        assert_eq!(slug("Intel(R) Xeon(R) Processor"), "intel-xeon-6-143-2core");
        assert_eq!(slug("Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz"), "intel-xeon-platinum-8481c-2core");
        assert_eq!(slug("AMD EPYC 9B45 128-Core Processor"), "amd-epyc-9b45-2core");
        assert_eq!(slug(""), "unknown-6-143-2core");
    }

    #[test]
    fn only_the_features_that_matter_are_listed() {
        let machine = Machine::describe("flags\t: fpu aes avx2 sse\n", 4, "6.1");
        assert_eq!(machine.features, ["aes", "avx2"]);
    }
}
