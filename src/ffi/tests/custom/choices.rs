//! The choices of a picker, and choices that break the rules.

use super::*;

#[test]
fn a_picker_can_queue_fail_and_drop() {
    registered("mine_says");
    let unavailable = |words: &str| (steer_pick_kind::STEER_PICK_FAIL, 14, words.to_owned());
    assert_eq!(doing("mine_says", "queue").no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
    assert_eq!(doing("mine_says", "fail").no_pick(), unavailable("mine"));
    let (kind, code, words) = doing("mine_says", "drop").no_pick();
    assert_eq!((kind, code), (steer_pick_kind::STEER_PICK_DROP, 13));
    assert!(words.ends_with("INVALID_ARGUMENT: not for a data plane"), "{words}");
}

#[test]
fn a_pick_may_make_several_choices_and_return_any_of_them() {
    registered("mine_chosen_from");
    let fixture = doing("mine_chosen_from", "the first of two");
    for _ in 0..if cfg!(miri) { 5 } else { 40 } {
        let first = (steer_pick_kind::STEER_PICK_FAIL, 14, "first".to_owned());
        assert_eq!(fixture.no_pick(), first);
    }
    let words = |does| doing("mine_chosen_from", does).no_pick().2;
    assert_eq!(words("the first of two faults"), "mine_chosen_from: pick failed: the first fault");
    assert_eq!(
        words("one that is too old"),
        "mine_chosen_from: pick failed: returned STEER_CHOICE_FAIL that steer_api.fail did not make"
    );
    let fixture = doing("mine_chosen_from", "the first of two backends");
    let picked = fixture.pick_raw();
    assert_eq!(picked.kind, steer_pick_kind::STEER_PICK_TRACKED as i64);
    // SAFETY: the tracker came from this pick and is freed once.
    unsafe { steer_call_tracker_free(picked.value.cast()) };
}

#[test]
fn nonsense_fails_the_call_and_round_robin_replaces_the_picker() {
    let world = registered("mine_nonsense");
    for (does, words) in [
        ("out of range", "chose backend 17 of 2"),
        ("garbage", "returned a choice of the unknown kind -5"),
        ("fail by hand", "returned STEER_CHOICE_FAIL that steer_api.fail did not make"),
        (
            "track by hand",
            "returned STEER_CHOICE_TRACKED that steer_api.complete_tracked did not make",
        ),
        ("track out of range", "chose backend 9 of 2"),
        ("fault", "I am broken"),
    ] {
        let fixture = doing("mine_nonsense", does);
        let (kind, code, said) = fixture.no_pick();
        assert_eq!((kind, code), (steer_pick_kind::STEER_PICK_FAIL, 13));
        assert_eq!(said, format!("mine_nonsense: pick failed: {words}"));
        assert_eq!(fixture.seen().runs_asked, 1);
        assert_eq!(fixture.no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
        let states = fixture.seen().states.len();
        // SAFETY: the policy and its picker are not freed.
        assert_eq!(unsafe { steer_policy_run(fixture.policy) }, STEER_OK);
        assert_eq!(fixture.seen().states.len(), states, "CONNECTING is not published");
        fixture.ready(2);
        fixture.ready(3);
        let picked = [fixture.pick(), fixture.pick()];
        assert!(picked.contains(&102) && picked.contains(&103), "{picked:?}");
        let logs = &fixture.seen().logs;
        assert!(logs[0].contains(words) && logs[0].contains("round robin"), "{logs:?}");
    }
    assert_eq!(world.count(|world| &world.abandoned), 1, "of the choice that was out of range");
}

#[test]
fn a_status_of_one_picker_is_never_used_for_another() {
    registered("mine_said");
    assert_eq!(doing("mine_said", "fail and complete").pick(), 100);
    assert!(doing("mine_said", "fail by hand").no_pick().2.contains("did not make"));
}

#[test]
fn a_tracked_choice_of_one_picker_is_never_used_for_another() {
    let world = registered("mine_unused");
    let queues = doing("mine_unused", "track and queue");
    assert_eq!(queues.no_pick().0, steer_pick_kind::STEER_PICK_QUEUE);
    let by_hand = doing("mine_unused", "track by hand");
    assert!(by_hand.no_pick().2.contains("did not make"));
    assert_eq!(world.count(|world| &world.abandoned), 0);
}
