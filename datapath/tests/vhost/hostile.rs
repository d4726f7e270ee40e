//! Guests and front ends that break the rules. What they do to themselves is their affair; the device goes on.

use std::io::Read;
use std::time::Duration;

use vhost::VhostBackend;
use vm_memory::{Bytes, GuestAddress};

use super::driver::{Descriptor, INDIRECT, NEXT, PART, SIZE, SLOTS, WRITE as FOR_WRITING};
use super::front_end::{FAILED, Guest, OK, READ};
use super::requests::Random;
use super::served::Served;

/// Where a chain's parts may be: a header, data, a status byte.
const HEADER: u64 = 0x60_0000;
const DATA: u64 = 0x61_0000;
const STATUS: u64 = 0x62_0000;
/// Beyond the end of the guest's memory.
const NOWHERE: u64 = 0x7000_0000_0000;

/// Sends a chain made by hand. The status byte, which was 0xee, and the bytes that the device says it wrote.
fn send(guest: &mut Guest, descriptors: &[Descriptor]) -> (u8, u32) {
    guest.memory.write_slice(&[0; 16], GuestAddress(HEADER)).unwrap();
    guest.memory.write_obj(0xee_u8, GuestAddress(STATUS)).unwrap();
    let queue = &mut guest.queues[0];
    let earlier = queue.position();
    queue.put(queue.descriptors(), descriptors);
    queue.offer(0);
    queue.kick(earlier);
    let (_, written) = queue.wait();
    (guest.memory.read_obj(GuestAddress(STATUS)).unwrap(), written)
}

#[test]
fn chains_that_are_none_are_given_back_and_the_next_is_served() {
    let served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    let header = (HEADER, 16, NEXT, 1);
    let status = (STATUS, 1, FOR_WRITING, 0);
    let cases: [(&str, Vec<Descriptor>); 8] = [
        ("a loop", vec![header, (DATA, 512, NEXT | FOR_WRITING, 0)]),
        ("a descriptor outside", vec![(HEADER, 16, NEXT, SIZE)]),
        ("readable after writable", vec![header, (STATUS, 1, FOR_WRITING | NEXT, 2), (DATA, 512, 0, 0)]),
        ("no status", vec![(HEADER, 16, 0, 0)]),
        ("an empty status", vec![header, (STATUS, 0, FOR_WRITING, 0)]),
        ("an indirect table that is no whole one", vec![(HEADER, 24, INDIRECT, 0)]),
        ("an indirect table nowhere", vec![(NOWHERE, 64, INDIRECT, 0)]),
        ("an indirect table at the end of addresses", vec![(u64::MAX - 8, 64, INDIRECT, 0)]),
    ];
    for (name, descriptors) in cases {
        assert_eq!(send(&mut guest, &descriptors), (0xee, 0), "{name}");
        assert_eq!(guest.run(1, READ, 0, 4096), OK, "{name}");
    }
    let chain = |data: Descriptor| vec![header, data, status];
    for (name, descriptors) in [
        ("a header that is too short", vec![(HEADER, 15, NEXT, 1), status]),
        ("a header nowhere", vec![(NOWHERE, 16, NEXT, 1), status]),
        ("data nowhere", chain((NOWHERE, 512, FOR_WRITING | NEXT, 2))),
        ("data over the end of memory", chain(((64 << 20) - 256, 512, FOR_WRITING | NEXT, 2))),
        ("data at the end of addresses", chain((u64::MAX - 100, 512, FOR_WRITING | NEXT, 2))),
        ("data of 4 GiB", chain((0, u32::MAX, FOR_WRITING | NEXT, 2))),
    ] {
        assert_eq!(send(&mut guest, &descriptors).0, FAILED, "{name}");
    }
    let nowhere = vec![header, (DATA, 512, FOR_WRITING | NEXT, 2), (NOWHERE, 1, FOR_WRITING, 0)];
    assert_eq!(send(&mut guest, &nowhere), (0xee, 513), "a status byte nowhere cannot be written");
    assert_eq!(guest.run(0, READ, 0, 4096), OK);
}

#[test]
fn how_a_request_is_spread_over_descriptors_means_nothing() {
    let served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    assert_eq!(guest.write(0, 0, &[5; 4096]), OK);
    // The header in three parts, and the status in the same descriptor as the last data.
    let odd = vec![
        (HEADER, 3, NEXT, 1),
        (HEADER + 3, 0, NEXT, 2),
        (HEADER + 3, 13, NEXT, 3),
        (DATA, 1, NEXT | FOR_WRITING, 4),
        (STATUS - 511, 512, FOR_WRITING, 0),
    ];
    assert_eq!(send(&mut guest, &odd), (OK, 513));
    assert_eq!(guest.memory.read_obj::<u8>(GuestAddress(STATUS - 1)).unwrap(), 5);
}

#[test]
fn a_broken_ring_is_left_alone_until_it_is_started_anew() {
    let served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    for breakage in 0..4 {
        let queue = &mut guest.queues[0];
        match breakage {
            // More entries than there are.
            0 => queue.set_available(SIZE + 1),
            1 => queue.set_available(u16::MAX),
            // A head outside of the table.
            2 => queue.offer(SIZE),
            // Each request twice: whether the second is a repetition or new depends on the device's speed.
            _ => (0..SLOTS / 2).for_each(|_| {
                queue.offer(5 * PART);
                queue.offer(5 * PART);
            }),
        }
        queue.kick.write(1).unwrap();
        if breakage < 3 {
            assert_eq!(queue.poll(Duration::from_millis(50)), None);
        }
        assert_eq!(guest.run(1, READ, 0, 4096), OK);
        guest.reset(0);
        assert_eq!(guest.run(0, READ, 0, 4096), OK, "{breakage}");
    }
}

#[test]
fn noise_in_the_rings_harms_nobody_else() {
    let served = Served::new();
    served.clear();
    let mut guest = Guest::boot(&served.socket(), 0);
    let mut random = Random(77);
    for _ in 0..200 {
        let (at, descriptors) = (guest.queues[0].at, guest.queues[0].descriptors());
        guest.memory.write_slice(&random.bytes(0x3000), GuestAddress(at)).unwrap();
        // Some of it looks like something.
        for n in 0..u64::from(SIZE) {
            let flags = u16::try_from(random.below(8)).unwrap();
            let (address, len) = (random.below(80 << 20), u32::try_from(random.below(70_000)).unwrap());
            let next = u16::try_from(random.below(u64::from(SIZE) + 2)).unwrap();
            guest.queues[0].put(descriptors + n * 16, &[(address, len, flags, next)]);
        }
        let count = u16::try_from(random.below(u64::from(SIZE))).unwrap();
        guest.queues[0].set_available(count);
        guest.queues[0].kick.write(1).unwrap();
        assert_eq!(guest.run(1, READ, 8, 4096), OK);
        guest.reset(0);
    }
}

#[test]
fn a_front_end_that_talks_nonsense_is_hung_up_on_and_the_next_is_served() {
    let served = Served::new();
    let header = |number: u32, flags: u32, len: u32| {
        [number, flags, len].into_iter().flat_map(u32::to_ne_bytes).collect::<Vec<u8>>()
    };
    for nonsense in [
        b"GET / HTTP/1.0\r\n\r\n".to_vec(),
        header(1, 0, 0),
        header(1, 5, 0),
        header(99, 1, 0),
        header(5, 1, 0),
        header(5, 1, u32::MAX),
        [header(5, 1, 8), vec![0xff; 8]].concat(),
        [header(8, 1, 8), vec![0xff; 8]].concat(),
        [header(11, 1, 8), vec![0xff; 8]].concat(),
        [header(12, 1, 8), vec![0; 8]].concat(),
        [header(2, 1, 8), vec![0xff; 8]].concat(),
        [header(31, 1, 24), vec![0xff; 24]].concat(),
        [header(32, 1, 24), vec![0; 24]].concat(),
    ] {
        let mut stream = served.say(&nonsense);
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut answer = Vec::new();
        // Closed with bytes unread, a socket is reset.
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{nonsense:?} is answered with {answer:?}");
    }
    let mut guest = Guest::boot(&served.socket(), 0);
    assert_eq!(guest.run(0, READ, 0, 4096), OK);
}

#[test]
fn messages_that_are_refused_leave_the_rest_as_it_was() {
    let served = Served::new();
    let mut guest = Guest::boot(&served.socket(), 0);
    assert!(guest.front_end.set_vring_num(0, 100).is_err(), "no power of two");
    assert!(guest.front_end.set_vring_num(0, 4096).is_err(), "too long");
    assert!(guest.front_end.set_features(u64::MAX).is_err());
    assert_eq!(guest.run(0, READ, 0, 4096), OK);
    assert_eq!(guest.run(1, READ, 0, 4096), OK);
}
