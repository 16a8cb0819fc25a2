//! The protocol without one of its rules: the checker finds what the rule is for, and shows the shortest way there.
//!
//! `cargo test -p klais-model-check --test broken -- --nocapture` prints the ways.

use klais_model_check::{Property, Ring, Rule, Setup, Start, check};

const RESTARTS: Ring = Ring::Volatile { index_restarts: true };
/// One reading, two owners.
const TINY: Setup = Setup { readings: 1, sessions: 2, fences: 2, ..Setup::SMALL };
/// One reading, three owners, no crash.
const THREE: Setup = Setup { readings: 1, crashes: 0, ..Setup::SMALL };
/// One power cut.
const CUT: Setup = Setup { fences: 2, crashes: 0, power_cuts: 1, ..Setup::SMALL };

/// The search is for that property alone: without a rule more than one may fail.
fn assert_found(setup: Setup, rule: Rule, property: Property) {
    let findings = check(setup.without(rule), &[property]);
    println!("without {rule:?}: {findings}");
    let found = findings.broken.as_ref().map(|(found, _)| *found);
    assert_eq!(found, Some(property), "{findings}");
    let with = check(Setup { broken: None, ..setup }, &[property]);
    assert!(with.broken.is_none(), "with the rule: {with}");
}

macro_rules! broken {
    ($($name:ident: $rule:ident, $setup:expr, $property:ident;)*) => {
        $(
            #[test]
            fn $name() {
                assert_found($setup, Rule::$rule, Property::$property);
            }
        )*
    };
}

broken! {
    acknowledged_before_the_commit: AckAfterCommit, TINY, NothingLost;
    restored_before_the_fence: FenceBeforeRestore, TINY, NothingTwice;
    readings_and_marks_apart: OneTransaction, TINY, NothingTwice;
    aborted_and_gone_on_with_a_delayed_end: FenceAfterError, TINY, NothingTwice;
    a_batch_taken_for_failed: BatchJudgedByMarks, TINY, NothingTwice;
    sessions_kept_under_anothers_term: ForgetsUnderOtherTerm, THREE, NothingTwice;
    taken_over_without_a_claim: ClaimBeforeServing, TINY, NothingTwice;
    a_failed_claim_taken_for_ones_own: OwnTermIsConfirmed, THREE, NothingTwice;
    the_term_of_a_steady_state_claimed_again: FirstClaimIsNew, Setup { start: Start::Steady, ..THREE }, NothingTwice;
    data_of_an_earlier_owner_taken: DataNamesTerm, TINY, NothingTwice;
    admit_of_an_earlier_owner_believed: OldAdmitsIgnored, THREE, NothingTwice;
    terms_that_wrap: TermsAreWide, TINY, Finishes;
    an_owner_that_never_proves_itself: OwnerProvesItself, TINY, Finishes;
    hello_answered_too_early: HelloWaits, TINY, NothingLost;
    a_ring_kept_with_a_raised_epoch: EpochStaysWithRing, CUT, NothingTwice;
    a_ring_lost_with_the_epoch_kept: EpochRisesWithLoss, Setup { ring: RESTARTS, ..CUT }, NothingLost;
    a_term_forgotten_with_the_ring_kept: TermKeptWithRing, Setup { readings: 1, ..CUT }, NothingTwice;
    session_numbers_that_begin_anew: SessionSurvivesLoss, Setup { ring: RESTARTS, ..CUT }, NothingLost;
    marks_of_an_epoch_left: RestoreByEpoch,
        Setup { start: Start::Worn, readings: 6, sessions: 2, ring: RESTARTS, ..CUT }, NothingLost;
}

/// A device with a clock counts by it: no index ever comes back, so an epoch tells nothing that the index does not.
#[test]
fn a_ring_lost_with_the_epoch_kept_is_harmless_where_indexes_never_return() {
    let setup =
        Setup { ring: Ring::Volatile { index_restarts: false }, ..CUT }.without(Rule::EpochRisesWithLoss);
    let findings = check(setup, &Property::ALL);
    println!("{findings}");
    assert!(findings.broken.is_none(), "{findings}");
}

/// What a zombie says of a ring that is gone is void anyhow.
#[test]
fn a_term_forgotten_with_a_ring_lost_is_harmless() {
    let findings = check(Setup { ring: RESTARTS, ..CUT }.without(Rule::TermKeptWithRing), &Property::ALL);
    println!("{findings}");
    assert!(findings.broken.is_none(), "{findings}");
}

/// Only DATA of the term that admitted its session is taken, so that a session granted to a late HELLO gets none.
#[test]
fn stored_session_numbers_are_a_second_line() {
    let findings = check(Setup { fences: 2, ..Setup::SMALL }.without(Rule::SessionIsStored), &Property::ALL);
    println!("{findings}");
    assert!(findings.broken.is_none(), "{findings}");
}
