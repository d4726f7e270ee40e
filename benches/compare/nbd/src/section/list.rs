//! The sections, in the order of the report.

use super::Metric::{CpuMsPerGib, CpuUsPerOp, Iops, LatencyUs, MbPerS};
use super::{Against, Case, Goal, Key, Metric, Place, Section};
use crate::contestant::{Contestant as C, Transport};
use crate::fio::{Load, Pattern};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

pub(super) fn all() -> Vec<Section> {
    vec![random(), latency(), sequential(), tls(), disk(), fuse(), scaling()]
}

/// Everybody who serves an image from memory over a Unix socket.
fn servers() -> Vec<C> {
    let plain = [C::NbdkitNull, C::NbdkitFile, C::NbdServer, C::QemuNbdRaw];
    let encrypted = [C::NbdkitLuks, C::QemuStorageLuks, C::QemuNbdLuks];
    [C::Sear, C::SearPlain].into_iter().chain(plain).chain(encrypted).collect()
}

const fn goal(metric: Metric, against: C, limit: f64) -> Goal {
    Goal { metric, block: None, against: Against::One(against), limit }
}

const fn best_plain(metric: Metric) -> Goal {
    Goal { metric, block: None, against: Against::BestPlain, limit: 1.0 }
}

fn case(pattern: Pattern, block: u64, depth: u32, connections: u32) -> Case {
    let size = if block < MIB { format!("{} KiB", block / KIB) } else { format!("{} MiB", block / MIB) };
    let (word, random) = match pattern {
        Pattern::RandRead => ("random read", true),
        Pattern::RandWrite => ("random write", true),
        Pattern::Read => ("read", false),
        Pattern::Write => ("write", false),
    };
    let connected = if connections > 1 { format!(", {connections} connections") } else { String::new() };
    let (rate, cost) = match (random, depth * connections) {
        (true, 1) => (LatencyUs, CpuUsPerOp),
        (true, _) => (Iops, CpuUsPerOp),
        (false, _) => (MbPerS, CpuMsPerGib),
    };
    let name = format!("{size} {word}, q{depth}{connected}");
    Case { name, load: Load { pattern, block, depth, connections }, rate, cost }
}

fn random() -> Section {
    let cases = [1, 4].into_iter().flat_map(|connections| {
        [Pattern::RandRead, Pattern::RandWrite].map(|pattern| case(pattern, 4 * KIB, 32, connections))
    });
    Section {
        key: Key::Random,
        title: "4 KiB at random, 32 in flight",
        place: Place::Memory,
        transport: Transport::Unix,
        all_cores: false,
        contestants: servers(),
        cases: cases.collect(),
        goals: vec![
            goal(CpuUsPerOp, C::NbdkitFile, 1.0),
            goal(CpuUsPerOp, C::NbdkitLuks, 0.55),
            best_plain(Iops),
            goal(Iops, C::NbdkitLuks, 1.5),
            goal(Iops, C::QemuNbdLuks, 2.7),
            goal(CpuUsPerOp, C::SearPlain, 1.05),
            goal(Iops, C::SearPlain, 0.95),
        ],
    }
}

fn latency() -> Section {
    Section {
        key: Key::Latency,
        title: "4 KiB at random, one at a time",
        place: Place::Memory,
        transport: Transport::Unix,
        all_cores: false,
        contestants: servers(),
        cases: [Pattern::RandRead, Pattern::RandWrite].map(|pattern| case(pattern, 4 * KIB, 1, 1)).to_vec(),
        goals: vec![goal(LatencyUs, C::NbdkitFile, 1.0)],
    }
}

fn sequential() -> Section {
    let cases = [128 * KIB, MIB].into_iter().flat_map(|block| streams(block, 8));
    let for_mib = |goal: Goal| Goal { block: Some(MIB), ..goal };
    Section {
        key: Key::Sequential,
        title: "128 KiB and 1 MiB in sequence, 8 in flight",
        place: Place::Memory,
        transport: Transport::Unix,
        all_cores: false,
        contestants: servers(),
        cases: cases.collect(),
        goals: vec![
            goal(CpuMsPerGib, C::NbdServer, 1.0),
            goal(CpuMsPerGib, C::NbdkitLuks, 0.25),
            best_plain(MbPerS),
            goal(MbPerS, C::NbdkitLuks, 3.0),
            for_mib(goal(CpuMsPerGib, C::SearPlain, 1.10)),
            for_mib(goal(MbPerS, C::SearPlain, 0.90)),
        ],
    }
}

fn tls() -> Section {
    Section {
        key: Key::Tls,
        title: "TLS over TCP, 1 MiB in sequence, 8 in flight",
        place: Place::Memory,
        transport: Transport::Tls,
        all_cores: false,
        contestants: vec![C::Sear, C::SearPlain, C::NbdkitFile, C::QemuNbdRaw, C::NbdkitLuks, C::QemuNbdLuks],
        cases: streams(MIB, 8).to_vec(),
        goals: vec![goal(MbPerS, C::NbdkitFile, 1.0)],
    }
}

fn disk() -> Section {
    let random = [Pattern::RandRead, Pattern::RandWrite].map(|pattern| case(pattern, 4 * KIB, 32, 1));
    let contestants = vec![
        C::Sear,
        C::PlainFile,
        C::SearPlain,
        C::NbdkitFile,
        C::NbdServer,
        C::QemuNbdRaw,
        C::NbdkitLuks,
        C::QemuStorageLuks,
        C::QemuNbdLuks,
    ];
    Section {
        key: Key::Disk,
        title: "A real disk, direct I/O where the server can",
        place: Place::Disk,
        transport: Transport::Unix,
        all_cores: false,
        contestants,
        cases: random.into_iter().chain(streams(MIB, 8)).collect(),
        goals: vec![goal(Iops, C::PlainFile, 0.95), goal(MbPerS, C::PlainFile, 0.95)],
    }
}

fn fuse() -> Section {
    Section {
        key: Key::Fuse,
        title: "FUSE file and loop device, 4 KiB at random, 32 in flight",
        place: Place::Memory,
        transport: Transport::Unix,
        all_cores: false,
        contestants: vec![C::SearLoop, C::NbdfuseFile, C::NbdfuseLuks],
        cases: [Pattern::RandRead, Pattern::RandWrite].map(|pattern| case(pattern, 4 * KIB, 32, 1)).to_vec(),
        goals: vec![goal(Iops, C::NbdfuseFile, 3.0)],
    }
}

fn scaling() -> Section {
    let cases = [Pattern::RandRead, Pattern::RandWrite]
        .into_iter()
        .flat_map(|pattern| [1, 2, 4, 8].map(|connections| case(pattern, 4 * KIB, 32, connections)));
    Section {
        key: Key::Scaling,
        title: "Connections, server and load on all processors",
        place: Place::Memory,
        transport: Transport::Unix,
        all_cores: true,
        contestants: vec![C::Sear, C::NbdkitFile, C::NbdkitLuks],
        cases: cases.collect(),
        goals: Vec::new(),
    }
}

fn streams(block: u64, depth: u32) -> [Case; 2] {
    [Pattern::Read, Pattern::Write].map(|pattern| case(pattern, block, depth, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_goal_has_a_case_and_a_contestant_to_be_judged_by() {
        for section in all() {
            let here = |who| section.contestants.contains(&who);
            assert!(here(C::Sear) || here(C::SearLoop), "{}", section.title);
            for goal in &section.goals {
                let shown = |case: &Case| case.rate == goal.metric || case.cost == goal.metric;
                let sized = |case: &Case| goal.block.is_none_or(|block| block == case.load.block);
                assert!(section.cases.iter().any(|case| shown(case) && sized(case)), "{}: {goal:?}", section.title);
                assert!(
                    matches!(goal.against, Against::BestPlain)
                        || section.contestants.iter().any(|who| goal.against == Against::One(*who))
                );
            }
        }
    }

    #[test]
    fn the_name_of_a_case_says_its_load() {
        assert_eq!(case(Pattern::RandWrite, 4 * KIB, 32, 4).name, "4 KiB random write, q32, 4 connections");
        assert_eq!(case(Pattern::Read, MIB, 8, 1).name, "1 MiB read, q8");
    }
}
