//! The world as the checker sees it.

use crate::ending::{ENDINGS, Known, finishes};
use crate::setup::Setup;
use crate::steps::Step;
use crate::trace;
use crate::world::World;
use stateright::{Checker, HasDiscoveries, Model};
use std::fmt::{self, Display, Formatter};
use std::sync::atomic::{AtomicBool, Ordering};

/// What must hold in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// No reading is in the log twice.
    NothingTwice,
    /// Each lane of a device is in order.
    InOrder,
    /// Every reading is in the log or with its device, or was lost with a ring: none that was acknowledged is missing.
    NothingLost,
    /// No reading is filed under an epoch that it was not taken in.
    Identity,
    /// Once nothing fails any more, the world comes to rest with everything durable.
    Finishes,
}

impl Property {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::NothingTwice, Self::InOrder, Self::NothingLost, Self::Identity, Self::Finishes];

    fn name(self) -> &'static str {
        match self {
            Self::NothingTwice => "nothing twice",
            Self::InOrder => "in order",
            Self::NothingLost => "nothing lost",
            Self::Identity => "identity",
            Self::Finishes => "finishes",
        }
    }
}

/// What a search came to.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Different states seen.
    pub states: usize,
    /// Steps of the longest shortest way to a state.
    pub depth: usize,
    /// The first property found not to hold, and the shortest way there.
    pub broken: Option<(Property, Vec<Step>)>,
    setup: Setup,
}

impl Display for Findings {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} states, {} steps deep: {:?}", self.states, self.depth, self.setup)?;
        match &self.broken {
            None => Ok(()),
            Some((property, steps)) => {
                writeln!(f, "does not hold: {} ({} steps)", property.name(), steps.len())?;
                trace::write(f, &self.setup, steps, *property == Property::Finishes)
            }
        }
    }
}

/// Explores a world breadth first, to its end or to the first of the properties that does not hold.
#[must_use]
pub fn check(setup: Setup, properties: &[Property]) -> Findings {
    let (properties, found) = (properties.to_vec(), AtomicBool::new(false));
    let search = Search { setup, properties, known: Known::default(), found };
    let checker = search.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let broken = checker.discoveries().into_iter().next().and_then(|(name, path)| {
        let property = Property::ALL.into_iter().find(|property| property.name() == name)?;
        Some((property, path.into_actions()))
    });
    // The checker counts states, not the steps between them.
    let depth = checker.max_depth().saturating_sub(1);
    Findings { states: checker.unique_state_count(), depth, broken, setup }
}

struct Search {
    setup: Setup,
    properties: Vec<Property>,
    known: Known,
    /// The checker would replace the first, shortest discovery by those of the same block of states.
    found: AtomicBool,
}

impl Search {
    fn holds(&self, property: Property, world: &World) -> bool {
        let holds = match property {
            Property::NothingTwice => !world.log.wrong.twice,
            Property::InOrder => !world.log.wrong.order,
            Property::NothingLost => world.nothing_is_missing(&self.setup),
            Property::Identity => !world.log.wrong.identity,
            Property::Finishes => {
                let comes_to_rest =
                    |ending| finishes(world, ending, &self.setup, &self.known, &mut |_, _| {});
                ENDINGS.into_iter().all(comes_to_rest)
            }
        };
        holds || self.found.swap(true, Ordering::Relaxed)
    }
}

impl Model for Search {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.setup)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        world.steps(&self.setup, steps);
    }

    fn next_state(&self, last: &World, step: Step) -> Option<World> {
        let mut next = last.clone();
        next.apply(step, &self.setup);
        Some(next)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        let condition: [fn(&Self, &World) -> bool; 5] = [
            |search, world| search.holds(Property::NothingTwice, world),
            |search, world| search.holds(Property::InOrder, world),
            |search, world| search.holds(Property::NothingLost, world),
            |search, world| search.holds(Property::Identity, world),
            |search, world| search.holds(Property::Finishes, world),
        ];
        let named =
            Property::ALL.into_iter().zip(condition).filter(|(each, _)| self.properties.contains(each));
        named.map(|(property, condition)| stateright::Property::always(property.name(), condition)).collect()
    }
}
