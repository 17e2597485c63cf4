//! What should a person mend? One list with four views: `posbell status --check`, `/readyz`, `/api/v1/problems` and
//! `[heartbeat]`.

use crate::api::{Problem, ProblemClass, ProblemKind, Problems};
use crate::config::Config;
use crate::domain::model::Timestamp;
use crate::edge::store::{Store, StoreError};
use chrono::TimeDelta;

/// For how long a dead letter is a problem; from the contract.
const DEAD_FOR: TimeDelta = TimeDelta::hours(24);

/// How many of the newest dead letters are looked at.
const DEAD_LOOKED_AT: usize = 1_000;

/// What a person should mend now, as far as the store knows it.
pub async fn problems(config: &Config, store: &Store, now: Timestamp) -> Result<Problems, StoreError> {
    let mut found = of_shops(config, store).await?;
    found.extend(of_channels(config, store).await?);
    let dead = store.dead_since(now - DEAD_FOR, DEAD_LOOKED_AT).await?;
    if dead > 0 {
        found.push(Problem { count: Some(dead as u64), ..Problem::of(ProblemKind::DeadLetters, None) });
    }
    found.sort_by_key(|problem| problem.class == ProblemClass::Other);
    Ok(Problems { data: found })
}

async fn of_shops(config: &Config, store: &Store) -> Result<Vec<Problem>, StoreError> {
    let mut found = Vec::new();
    let held = store.all_held().await?;
    for shop in &config.shops {
        let id = Some(shop.id.to_string());
        let record = store.shop(&shop.id).await?;
        if let Some(stopped) = &record.stopped {
            let problem = Problem::of(ProblemKind::KeyRefused, Some(stopped.at));
            found.push(Problem { shop: id.clone(), ..problem });
        }
        let of_list = |kind, resource: String, since| {
            let problem = Problem::of(kind, since);
            Problem { shop: id.clone(), resource: Some(resource), ..problem }
        };
        // Of a list that is no longer polled nothing is expected.
        let polled = record.stale.problems().filter(|(resource, _)| shop.poll.contains_key(resource));
        found.extend(polled.map(|(resource, list)| of_list(ProblemKind::Stale, resource.to_string(), list.since)));
        let held = held.iter().filter(|(of, ..)| *of == shop.id);
        found
            .extend(held.map(|(_, resource, held)| of_list(ProblemKind::Held, resource.to_string(), Some(held.since))));
    }
    Ok(found)
}

async fn of_channels(config: &Config, store: &Store) -> Result<Vec<Problem>, StoreError> {
    let mut found = Vec::new();
    let records = store.channels_told().await?;
    let failing = |name| records.0.get(name).and_then(|record| record.failing.as_ref());
    let destinations = config.destinations();
    let people: Vec<_> = destinations.for_people().collect();
    if !people.is_empty() && people.iter().all(|name| failing(name).is_some()) {
        let since = people.iter().filter_map(|name| failing(name)).map(|failing| failing.since).max();
        found.push(Problem::of(ProblemKind::NoChannelForPeople, since));
    }
    let overflows = store.overflows().await?;
    for channel in &config.channels {
        let name = Some(channel.name.to_string());
        if let Some(failing) = failing(&channel.name) {
            let problem = Problem::of(ProblemKind::ChannelFailing, Some(failing.since));
            found.push(Problem { channel: name.clone(), ..problem });
        }
        if let Some(overflow) = overflows.get(&channel.name) {
            let problem = Problem::of(ProblemKind::Overflow, Some(overflow.since));
            found.push(Problem { channel: name, count: Some(overflow.refused), ..problem });
        }
    }
    Ok(found)
}
