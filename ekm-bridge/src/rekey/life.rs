//! The end of one master key: what may be done to it next.
//!
//! ```text
//! in force ─▶ wait: headers name it ─▶ wait: not due ─▶ prove ─▶ revoke ─▶ destroy
//!             ▲                                           │
//!             └──── a header that names it came back ◀────┘
//! ```

use crate::records::MasterKeyState;

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How far it is.
    pub state: MasterKeyState,
    /// Whether the built-in provider has it: then there is no server that could revoke it.
    pub is_internal: bool,
    /// Headers that name it, or may name it.
    pub dependants: usize,
    /// Whether the policy allows its end by now.
    pub is_due: bool,
    /// Whether it is proven that nothing depends on it, and that the key in force is where it should be.
    pub is_proven: bool,
    /// Whether an administrator wants its end whatever depends on it.
    pub is_forced: bool,
    /// Whether the rekey that replaced it runs and may still be called off: then it comes back into force.
    pub may_return: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing, now and later, as long as its state is what it is.
    Nothing,
    /// Nothing yet: the rekey that replaced it is not beyond recall.
    WaitForRekey,
    /// Nothing yet: headers name it.
    WaitForHeaders,
    /// Nothing yet: the policy says later.
    WaitForPolicy,
    /// Read every header, and ask every server for the key in force.
    Prove,
    /// Revoke it on every server.
    Revoke,
    /// Destroy it on every server, or wipe it from every metadata drive.
    Destroy,
}

/// What is to be done next.
#[must_use]
pub fn next(facts: &Facts) -> Next {
    let is_revoked = facts.state == MasterKeyState::Revoked;
    match facts.state {
        MasterKeyState::Created | MasterKeyState::Active | MasterKeyState::Destroyed => return Next::Nothing,
        MasterKeyState::ToDecommission | MasterKeyState::Revoked => {}
    }
    if facts.may_return {
        return Next::WaitForRekey;
    }
    if !facts.is_forced {
        if facts.dependants > 0 {
            return Next::WaitForHeaders;
        }
        if !facts.is_proven {
            return if facts.is_due { Next::Prove } else { Next::WaitForPolicy };
        }
    }
    if is_revoked || facts.is_internal { Next::Destroy } else { Next::Revoke }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> Vec<Facts> {
        let mut all = Vec::new();
        for state in MasterKeyState::ALL {
            for bits in 0..64_u8 {
                let bit = |n: u8| bits & (1 << n) != 0;
                all.push(Facts {
                    state,
                    is_internal: bit(0),
                    dependants: usize::from(bit(1)),
                    is_due: bit(2),
                    is_proven: bit(3),
                    is_forced: bit(4),
                    may_return: bit(5),
                });
            }
        }
        all
    }

    #[test]
    fn unless_it_is_forced_nothing_ends_that_is_depended_on_or_not_proven() {
        for facts in every().into_iter().filter(|facts| !facts.is_forced) {
            let ends = matches!(next(&facts), Next::Revoke | Next::Destroy);
            assert!(!ends || (facts.dependants == 0 && facts.is_proven), "{facts:?}");
        }
    }

    #[test]
    fn a_key_that_may_come_back_into_force_is_not_ended_even_when_forced() {
        for facts in every().into_iter().filter(|facts| facts.may_return) {
            assert!(matches!(next(&facts), Next::Nothing | Next::WaitForRekey), "{facts:?}");
        }
    }

    #[test]
    fn a_key_that_was_never_replaced_is_left_alone_even_when_forced() {
        let kept = [MasterKeyState::Created, MasterKeyState::Active, MasterKeyState::Destroyed];
        for facts in every().into_iter().filter(|facts| kept.contains(&facts.state)) {
            assert_eq!(next(&facts), Next::Nothing, "{facts:?}");
        }
    }

    #[test]
    fn an_external_key_is_revoked_before_it_is_destroyed() {
        for facts in every().into_iter().filter(|facts| !facts.is_internal) {
            let destroys = next(&facts) == Next::Destroy;
            assert!(!destroys || facts.state == MasterKeyState::Revoked, "{facts:?}");
        }
    }

    #[test]
    fn a_proven_key_ends_also_when_the_policy_has_changed_since() {
        for facts in every() {
            let goes_on = facts.is_proven && facts.dependants == 0 && !facts.may_return;
            let old = matches!(facts.state, MasterKeyState::ToDecommission | MasterKeyState::Revoked);
            if goes_on && old {
                assert!(matches!(next(&facts), Next::Revoke | Next::Destroy), "{facts:?}");
            }
        }
    }
}
