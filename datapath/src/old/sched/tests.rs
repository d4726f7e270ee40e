use proptest::prelude::*;

use super::*;

fn claim(sectors: Range<u64>, exclusive: bool) -> Claim {
    Claim { sectors, exclusive, bytes: 1 }
}

fn started<T>(scheduler: &mut Scheduler<T>) -> Vec<(Ticket, T)> {
    std::iter::from_fn(|| scheduler.start_next()).collect()
}

#[test]
fn readers_share_and_a_writer_waits_for_both() {
    let mut scheduler = Scheduler::default();
    scheduler.arrive(claim(0..4, false), "read a");
    scheduler.arrive(claim(2..6, false), "read b");
    scheduler.arrive(claim(3..4, true), "write");
    let mut running = started(&mut scheduler);
    assert_eq!(running.iter().map(|(_, name)| *name).collect::<Vec<_>>(), ["read a", "read b"]);
    scheduler.end(running.remove(0).0);
    assert!(started(&mut scheduler).is_empty());
    scheduler.end(running.remove(0).0);
    assert_eq!(started(&mut scheduler)[0].1, "write");
}

#[test]
fn a_reader_does_not_overtake_a_waiting_writer() {
    let mut scheduler = Scheduler::default();
    scheduler.arrive(claim(0..1, false), "read");
    scheduler.arrive(claim(0..1, true), "write");
    scheduler.arrive(claim(0..1, false), "late read");
    assert_eq!(started(&mut scheduler).len(), 1);
}

#[test]
fn neighbours_and_empty_ranges_do_not_wait() {
    let mut scheduler = Scheduler::default();
    for sectors in [0..4, 4..8, 2..2] {
        scheduler.arrive(claim(sectors, true), ());
    }
    assert_eq!(started(&mut scheduler).len(), 3);
}

#[test]
fn bytes_in_flight_are_limited_and_the_oversized_runs_alone() {
    let mut scheduler = Scheduler::default();
    for (sector, bytes) in [(0, MAX_IN_FLIGHT - 1), (1, 1), (2, u64::MAX)] {
        scheduler.arrive(Claim { sectors: sector..sector + 1, exclusive: true, bytes }, sector);
    }
    let mut running = started(&mut scheduler);
    assert_eq!(running.len(), 2);
    scheduler.end(running.remove(0).0);
    assert!(started(&mut scheduler).is_empty());
    scheduler.end(running.remove(0).0);
    assert_eq!(started(&mut scheduler)[0].1, 2);
}

#[derive(Clone, Debug)]
enum Event {
    Arrive(Claim),
    End(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let sectors = (0u64..20, 0u64..6).prop_map(|(start, len)| start..start + len);
    let arrive = (sectors, any::<bool>(), 0..=MAX_IN_FLIGHT / 3)
        .prop_map(|(sectors, exclusive, bytes)| Event::Arrive(Claim { sectors, exclusive, bytes }));
    prop_oneof![arrive, any::<usize>().prop_map(Event::End)]
}

proptest! {
    /// The model keeps every claim ever made: nothing runs beside an earlier unended claim that it conflicts with,
    /// the memory limit holds, and once everything that runs is ended, everything that arrived has run.
    #[test]
    fn whatever_arrives_and_ends_the_two_rules_hold(events in prop::collection::vec(event(), 1..80)) {
        let mut scheduler = Scheduler::default();
        let mut claims = Vec::new();
        let mut ended = Vec::new();
        let mut running: Vec<(Ticket, usize)> = Vec::new();
        let drain = std::iter::repeat_n(Event::End(0), events.len());
        for event in events.clone().into_iter().chain(drain) {
            match event {
                Event::Arrive(claim) => {
                    scheduler.arrive(claim.clone(), claims.len());
                    claims.push(claim);
                    ended.push(false);
                }
                Event::End(pick) if !running.is_empty() => {
                    let (ticket, id) = running.remove(pick % running.len());
                    ended[id] = true;
                    scheduler.end(ticket);
                }
                Event::End(_) => {}
            }
            for (ticket, id) in started(&mut scheduler) {
                let waits = (0..id).any(|earlier| !ended[earlier] && claims[earlier].conflicts(&claims[id]));
                prop_assert!(!waits, "{id} started too early");
                running.push((ticket, id));
            }
            prop_assert!(running.iter().map(|(_, id)| claims[*id].bytes).sum::<u64>() <= MAX_IN_FLIGHT);
        }
        prop_assert!(ended.iter().all(|ended| *ended));
        prop_assert!(scheduler.is_idle());
    }
}
