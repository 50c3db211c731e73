use super::*;
use proptest::prelude::*;
use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

const MIB: u32 = 1 << 20;

/// 64 MiB, as a domain has that sets nothing.
fn budget() -> Budget {
    Budget::new(64 * MIB, 16 * MIB)
}

fn of(licence: &str) -> Share {
    Some(licence.parse().unwrap())
}

fn once<T>(waits: Pin<&mut impl Future<Output = Option<T>>>) -> Option<T> {
    match waits.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(paid) => paid,
        Poll::Pending => None,
    }
}

/// What is there at once.
fn now(account: &Account, length: u32) -> Option<Paid> {
    once(pin!(account.pay(length)))
}

/// All that an account gets for frames of this length, unread.
fn all(account: &Account, length: u32) -> Vec<Paid> {
    std::iter::from_fn(|| now(account, length)).collect()
}

#[test]
fn a_licence_whose_streams_are_not_read_holds_no_more_than_it_leaves() {
    let budget = budget();
    let streams: Vec<Account> = (0..8).map(|_| budget.account(of("a"))).collect();
    let unread: Vec<_> = streams.iter().map(|stream| all(stream, MIB)).collect();
    let held = budget.lock().by_share[&of("a")];
    assert!(held <= budget.lock().free);
    assert!(unread.len() == 8 && held > u64::from(28 * MIB));
}

#[test]
fn who_holds_nothing_gets_a_first_frame_at_once_whoever_else_holds_what_they_may() {
    let budget = budget();
    let mut unread = Vec::new();
    // Each fills its share, frame by frame, as small ones go furthest.
    for licence in ["a", "b", "c", "d", "e", "f"] {
        let streams = (0..4).map(|_| budget.account(of(licence)));
        unread.extend(streams.flat_map(|stream| all(&stream, 16 << 10)));
        let other = budget.account(of("other"));
        assert!(now(&other, 64 << 10).is_some(), "after {licence}");
    }
    // The longest there is, beside one licence that holds what it may.
    drop(unread);
    let unread = all(&budget.account(of("a")), 100 << 10);
    assert!(now(&budget.account(of("b")), 16 * MIB).is_some());
    drop(unread);
}

#[test]
fn within_a_licence_a_stream_that_goes_on_leaves_something_for_others() {
    let budget = budget();
    let _unread = all(&budget.account(of("a")), MIB);
    let colleague = budget.account(of("a"));
    assert!(now(&colleague, MIB).is_some());
}

#[test]
fn a_small_frame_does_not_wait_behind_a_large_one() {
    let budget = budget();
    let _unread = [
        all(&budget.account(of("a")), MIB),
        all(&budget.account(of("b")), MIB),
    ];
    let large = budget.account(of("c"));
    let mut large = pin!(large.pay(16 * MIB));
    assert!(once(large.as_mut()).is_none());
    assert!(now(&budget.account(of("d")), MIB).is_some());
    assert!(once(large.as_mut()).is_none());
}

#[test]
fn a_large_frame_is_served_before_those_who_hold_more_go_on() {
    let budget = budget();
    let mut unread = all(&budget.account(of("a")), MIB);
    let going_on = budget.account(of("b"));
    let mut read = all(&going_on, MIB);
    let large = budget.account(of("c"));
    let mut large = pin!(large.pay(16 * MIB));
    assert!(once(large.as_mut()).is_none());
    // There would be room for it, and who holds less waits for more.
    drop(read.pop());
    let mut next = pin!(going_on.pay(MIB));
    assert!(once(next.as_mut()).is_none());
    unread.truncate(16);
    assert!(once(large.as_mut()).is_some());
    assert!(once(next.as_mut()).is_some());
}

#[test]
fn who_gives_up_is_in_nobodys_way() {
    let budget = budget();
    let _unread = all(&budget.account(of("a")), MIB);
    let going_on = budget.account(of("b"));
    let mut read = all(&going_on, MIB);
    let mut next = pin!(going_on.pay(MIB));
    {
        let large = budget.account(of("c"));
        let mut large = pin!(large.pay(16 * MIB));
        assert!(once(large.as_mut()).is_none());
        drop(read.pop());
        assert!(once(next.as_mut()).is_none());
    }
    assert!(once(next.as_mut()).is_some());
    assert!(budget.lock().waiting.is_empty());
}

#[test]
fn a_frame_that_could_never_be_paid_for_is_too_long() {
    let small = Budget::new(MIB, 16 * MIB).account(None);
    assert!(now(&small, small.frame_bytes_max()).is_some());
    assert!(now(&small, small.frame_bytes_max() + 1).is_none());
}

proptest! {
    /// However frames are paid for and read, no byte is lost or made, and nobody who holds something gets
    /// more than is left for others.
    #[test]
    fn bytes_are_neither_lost_nor_made(steps in prop::collection::vec((0usize..6, 1u32..4096, any::<bool>()), 1..120)) {
        let budget = Budget::new(256 << 10, 64 << 10);
        let accounts: Vec<_> = (0..6).map(|job| budget.account(of(&format!("l{}", job / 2)))).collect();
        let mut held: Vec<Paid> = Vec::new();
        for (who, length, pays) in steps {
            if pays {
                let before = budget.lock().held(&accounts[who]).0;
                if let Some(paid) = now(&accounts[who], length * 12) {
                    let after = budget.lock().held(&accounts[who]).0;
                    prop_assert!(before == 0 || after <= budget.lock().free);
                    held.push(paid);
                }
            } else if !held.is_empty() {
                drop(held.swap_remove(who % held.len()));
            }
            let shared = budget.lock();
            let paid: u64 = held.iter().map(|paid| paid.bytes).sum();
            prop_assert_eq!(shared.free + paid, 256 << 10);
            prop_assert_eq!(shared.by_share.values().sum::<u64>(), paid);
            prop_assert_eq!(shared.by_job.values().sum::<u64>(), paid);
        }
    }
}
