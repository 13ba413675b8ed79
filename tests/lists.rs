//! What an update costs: endpoints that stay are neither made nor described again.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use steer::Status;
use steer::calls::Call;
use steer::endpoints::{Connection, Connectivity, EndpointDescriptor};
use steer::policy::{
    Config, ConfigError, Helper, LeafPolicy, Pick, Picker, PickerFactory, Policies, Policy,
    PolicyFactory, Ready,
};
use support::Asked::{self, Connect, Dropped, New, State};
use support::Channel;

/// Counts the calls of a picker factory.
#[derive(Default)]
struct Calls {
    lists: AtomicUsize,
    gone: AtomicUsize,
}

impl Calls {
    /// The number of lists, and of endpoints that left, since the last call.
    fn take(&self) -> (usize, usize) {
        (self.lists.swap(0, Ordering::Relaxed), self.gone.swap(0, Ordering::Relaxed))
    }
}

/// A policy with a single config object, like that of a channel whose service config never changes.
struct Counting(Arc<Calls>, Config);

impl PolicyFactory for Counting {
    fn name(&self) -> &str {
        "counting"
    }

    fn parse_config(&self, _: &serde_json::Value, _: &dyn Policies) -> Result<Config, ConfigError> {
        Ok(Arc::clone(&self.1))
    }

    fn new_policy(&self, helper: Arc<dyn Helper>) -> Box<dyn Policy> {
        Box::new(LeafPolicy::new(helper, Pickers(Arc::clone(&self.0))))
    }
}

struct Pickers(Arc<Calls>);

impl PickerFactory for Pickers {
    type Config = ();

    fn update_list(&mut self, _: &Arc<()>, _: &[&Arc<EndpointDescriptor>]) {
        self.0.lists.fetch_add(1, Ordering::Relaxed);
    }

    fn forget(&mut self, gone: &[Arc<EndpointDescriptor>]) {
        self.0.gone.fetch_add(gone.len(), Ordering::Relaxed);
    }

    fn build(&mut self, _: &Arc<()>, ready: &Ready<'_>, _: &Arc<dyn Helper>) -> Box<dyn Picker> {
        Box::new(All(ready.backends().map(|backend| backend.connection).collect(), 0.into()))
    }
}

/// Picks the backends in turn, in the order of the list.
struct All(Vec<Connection>, AtomicUsize);

impl Picker for All {
    fn pick<'a>(&'a self, _: &Call<'_>) -> Pick<'a> {
        Pick::Complete(&self.0[self.1.fetch_add(1, Ordering::Relaxed) % self.0.len()])
    }
}

fn channel(names: &str) -> (Channel, Arc<Calls>) {
    let calls = Arc::<Calls>::default();
    let channel = Channel::new(Arc::new(Counting(Arc::clone(&calls), Arc::new(()))));
    channel.update(names).unwrap();
    let mut ready: Vec<char> = names.chars().collect();
    ready.sort_unstable();
    ready.dedup();
    channel.ready(&ready.into_iter().collect::<String>());
    channel.asked();
    calls.take();
    (channel, calls)
}

fn asked(channel: &Channel) -> Vec<Asked> {
    let mut asked = channel.asked();
    asked.retain(|asked| *asked != State(Connectivity::Ready));
    asked
}

#[test]
fn a_list_that_repeats_makes_and_changes_nothing() {
    let (channel, calls) = channel("abc");
    for _ in 0..3 {
        channel.update("abc").unwrap();
        assert_eq!(channel.asked(), [State(Connectivity::Ready)]);
        assert_eq!((channel.picks(6).as_str(), calls.take()), ("abcabc", (0, 0)));
    }
    assert_eq!(channel.held_connections(), 3);
}

/// Policies above this one, such as gRPC's outlier_detection, forget what an update leaves out.
#[test]
fn an_endpoint_that_an_update_left_out_is_a_new_one_when_it_comes_back() {
    let (channel, calls) = channel("ab");
    let old = [channel.ids('a'), channel.ids('b')].concat();
    channel.update("cd").unwrap();
    channel.asked();
    channel.update("ab").unwrap();
    let new_and_dropped =
        [New("a".into()), New("b".into()), Dropped("c".into()), Dropped("d".into())];
    assert_eq!(asked(&channel), new_and_dropped);
    assert_eq!((channel.picks(2).as_str(), channel.held_connections()), ("ab", 2));
    let new: Vec<_> = channel.endpoints().into_keys().filter(|id| !old.contains(id)).collect();
    channel.report_state(new[1], Connectivity::Ready);
    assert_eq!(asked(&channel), [Dropped("a".into()), Dropped("b".into())]);
    assert_eq!(channel.picks(2), "bb");
    channel.report_state(new[0], Connectivity::Ready);
    assert_eq!((channel.picks(2).as_str(), channel.alive().as_str()), ("ab", "ab"));
    assert_eq!(calls.take(), (1, 2), "c and d are gone, a and b are not");
}

#[test]
fn of_a_list_that_comes_back_only_the_endpoints_that_every_update_named_are_kept() {
    let (channel, _) = channel("abc");
    channel.connecting("bc");
    channel.asked();
    let b = channel.ids('b');
    // It waits, because the current list has a READY endpoint.
    channel.update("bd").unwrap();
    assert_eq!(asked(&channel), [New("d".into())]);
    channel.update("abc").unwrap();
    assert_eq!(asked(&channel), [New("a".into()), New("c".into()), Dropped("d".into())]);
    assert_eq!(channel.ids('b'), b);
    channel.update("abc").unwrap();
    assert_eq!((asked(&channel), channel.alive().as_str()), (vec![], "aabcc"));
    assert_eq!(channel.picks(2), "aa");
}

#[test]
fn an_update_without_a_list_leaves_no_endpoint_out() {
    let (channel, _) = channel("ab");
    channel.update_with(Err(Status::unavailable("the resolver failed"))).unwrap_err();
    channel.update("ab").unwrap();
    assert_eq!((asked(&channel), channel.picks(2).as_str()), (vec![], "ab"));
}

#[test]
fn a_list_that_repeats_drops_the_pending_list_that_has_it_too() {
    let calls = Arc::<Calls>::default();
    let channel = Channel::new(Arc::new(Counting(calls, Arc::new(()))));
    channel.update("ab").unwrap();
    // It waits for a first report.
    channel.update("abc").unwrap();
    channel.asked();
    channel.update("ab").unwrap();
    assert_eq!(asked(&channel), [Dropped("c".into())]);
    assert_eq!(channel.alive(), "ab");
}

#[test]
fn a_list_that_repeats_asks_idle_endpoints_to_connect_again() {
    let (channel, _) = channel("ab");
    channel.idle("b");
    channel.asked();
    channel.update("ab").unwrap();
    assert_eq!(asked(&channel), [Connect("b".into())]);
}

#[test]
fn a_list_in_another_order_keeps_all_endpoints_in_the_new_order() {
    let (channel, calls) = channel("abcd");
    for list in ["dbca", "adbc", "dcba", "abcd"] {
        channel.update(list).unwrap();
        assert_eq!((asked(&channel), calls.take()), (vec![], (1, 0)));
        assert_eq!(channel.picks(4), list);
    }
}

#[test]
fn a_list_makes_only_new_endpoints_and_drops_those_that_left() {
    let (channel, calls) = channel("abcd");
    for (list, new, gone) in [("xabcd", "x", ""), ("xbcd", "", "a"), ("xbyd", "y", "c")] {
        channel.update(list).unwrap();
        let mut expected: Vec<Asked> = new.chars().map(|new| New(new.into())).collect();
        expected.extend(gone.chars().map(|gone| Dropped(gone.into())));
        assert_eq!((asked(&channel), calls.take()), (expected, (1, gone.len())));
        channel.ready(new);
        assert_eq!(channel.picks(4), list[..4]);
        channel.asked();
        assert_eq!(calls.take(), (0, 0));
    }
}

#[test]
fn of_endpoints_with_the_same_addresses_the_first_that_fits_is_kept() {
    let (channel, calls) = channel("abab");
    channel.update("abab").unwrap();
    assert_eq!((asked(&channel), calls.take()), (vec![], (0, 0)));
    let ids = channel.ids('a');
    channel.update("ab").unwrap();
    assert_eq!(asked(&channel), [Dropped("a".into()), Dropped("b".into())]);
    assert_eq!((channel.ids('a'), calls.take()), (vec![ids[0]], (1, 0)), "no address has left");
    channel.update("baa").unwrap();
    assert_eq!((asked(&channel), calls.take()), (vec![New("a".into())], (1, 0)));
    assert_eq!(channel.ids('a')[0], ids[0]);
    channel.update("b").unwrap();
    assert_eq!(asked(&channel), [Dropped("a".into()), Dropped("a".into())]);
    assert_eq!((channel.alive().as_str(), calls.take()), ("b", (1, 1)));
}

/// The host may have found the same objects at later places of the new list. The places of the kept
/// endpoints do not depend on that.
#[test]
fn of_equal_endpoints_in_a_new_list_the_first_ones_are_the_kept_ones() {
    let described = |name: char| {
        let addresses = vec![name.to_string()];
        Arc::new(EndpointDescriptor { addresses, ..EndpointDescriptor::default() })
    };
    let (channel, _) = channel("x");
    let before: Vec<_> = "dxydf".chars().map(described).collect();
    channel.update_with(Ok(before.clone())).unwrap();
    channel.ready("dfx");
    channel.asked();
    let again = |index: usize| Arc::clone(&before[index]);
    channel.update_with(Ok(vec![again(0), described('d'), described('f'), again(3)])).unwrap();
    assert!(asked(&channel).contains(&New("d".into())));
    assert_eq!(channel.picks(6), "ddfddf");
}

/// Endpoints of one address, told apart by their weights, in another order: as many comparisons by
/// the host as there are endpoints, or none if it hands in the descriptors of the list before.
#[test]
fn endpoints_of_one_address_are_matched_in_linear_time() {
    const COUNT: u32 = 1000;
    let described = |weight| {
        let addresses = vec!["a".to_owned()];
        Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
    };
    let (channel, _) = channel("b");
    let list = |weights: &mut dyn Iterator<Item = u32>| weights.map(described).collect();
    let mut descriptors: Vec<_> = list(&mut (0..COUNT));
    channel.update_with(Ok(descriptors.clone())).unwrap();
    channel.fail("b");
    channel.connecting("a");
    let ids = channel.listed_endpoints();
    let made = |channel: &Channel| {
        channel.asked().iter().any(|asked| matches!(asked, New(_) | Dropped(_)))
    };
    assert!(made(&channel));
    channel.comparisons();
    descriptors.reverse();
    channel.update_with(Ok(descriptors)).unwrap();
    // The first one is compared with the one that was at its place.
    assert_eq!((made(&channel), channel.comparisons()), (false, 1));
    let now = channel.listed_endpoints();
    assert!(now.values().eq(ids.values().rev()), "the endpoints moved with their descriptors");
    channel.update_with(Ok(list(&mut (0..COUNT)))).unwrap();
    assert_eq!((made(&channel), channel.comparisons()), (false, 1 + COUNT as usize));
    // Equal endpoints, of which none stays.
    channel.update_with(Ok((0..COUNT).map(|_| described(0)).collect())).unwrap();
    channel.comparisons();
    channel.change_args();
    channel.update_with(Ok((0..COUNT).map(|_| described(0)).collect())).unwrap();
    let comparisons = channel.comparisons();
    assert!(comparisons <= 20 * COUNT as usize, "{comparisons} comparisons");
}

#[test]
fn an_endpoint_that_has_changed_is_a_new_one() {
    let (channel, calls) = channel("ab");
    let list = |weight| {
        let one = |(name, weight): (&str, u32)| {
            let addresses = vec![name.to_owned()];
            Arc::new(EndpointDescriptor { addresses, weight, ..EndpointDescriptor::default() })
        };
        Ok::<_, Status>(vec![one(("a", 0)), one(("b", weight))])
    };
    channel.update_with(list(1)).unwrap();
    assert_eq!(asked(&channel), [New("b".into()), Dropped("b".into())]);
    assert_eq!(calls.take(), (1, 0), "its address is still there");
    channel.update_with(list(1)).unwrap();
    assert_eq!((asked(&channel), calls.take()), (vec![], (0, 0)));
}

#[test]
fn endpoints_with_other_args_are_replaced_though_nothing_else_changed() {
    let (channel, calls) = channel("ab");
    channel.change_args();
    channel.update("ab").unwrap();
    assert_eq!(asked(&channel), [New("a".into()), New("b".into())]);
    channel.ready("a");
    channel.asked();
    channel.update("ab").unwrap();
    assert_eq!((asked(&channel), channel.alive().as_str()), (vec![], "ab"));
    assert_eq!(calls.take().1, 0);
}

/// The host finds an endpoint by its index in the latest list, and the virtual host checks that the
/// index is right. Lists come in any order, while endpoints become READY and are lost. Some
/// endpoints are made only for a call.
#[test]
fn endpoints_are_made_by_their_indices_in_the_latest_list() {
    for policy in steer::policies::registry().names() {
        let channel = Channel::with_seed(&policy, serde_json::json!({}), 1);
        let mut rng = fastrand::Rng::with_seed(7);
        let mut names: Vec<char> = ('a'..='p').collect();
        for _ in 0..200 {
            match rng.u8(..4) {
                0 => rng.shuffle(&mut names),
                1 => names.rotate_left(1),
                2 => names.swap(0, 9),
                _ => {}
            }
            let list: String = names[..rng.usize(4..=names.len())].iter().collect();
            if rng.u8(..4) == 0 {
                channel.update_redescribed(&list).unwrap();
            } else {
                channel.update(&list).unwrap();
            }
            for _ in 0..rng.usize(..3) {
                channel.pick_hash(rng.u64(..));
                channel.run();
            }
            for name in list.chars().filter(|name| !channel.ids(*name).is_empty()) {
                match rng.u8(..8) {
                    0 => channel.idle(&name.to_string()),
                    1 => channel.fail(&name.to_string()),
                    2..5 => channel.ready(&name.to_string()),
                    _ => {}
                }
            }
        }
    }
}
