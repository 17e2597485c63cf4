//! What is held, and what a person says about it: for the admin address and for a command that has opened the store.
//!
//! Nothing of a held reading is kept, so a release changes no row. It is written into the guard's record, and the next
//! pass reads it there; killed in between, it stands.

use serde::Serialize;

use super::answers::json;
use crate::api::{HeldPass, Refusal};
use crate::config::Config;
use crate::domain::diff::guard::{Decision, GuardRecord, Held};
use crate::domain::model::{Resource, ShopId};
use crate::edge::store::{Commit, Store};

#[derive(Serialize)]
struct HeldList {
    data: Vec<HeldPass>,
}

/// The shop and the resource of these names, or which there are.
pub fn named(config: &Config, shop: &str, resource: &str) -> Result<(ShopId, Resource), Refusal> {
    let Some(found) = config.shops.iter().find(|known| known.id.as_str() == shop) else {
        let known: Vec<&str> = config.shops.iter().map(|known| known.id.as_str()).collect();
        return Err(Refusal::NotFound(format!("there is no shop `{shop}`; there is: {}", known.join(", "))));
    };
    let Some(resource) = Resource::by_name(resource) else {
        let known = Resource::ALL.map(Resource::name).join(", ");
        return Err(Refusal::NotFound(format!("there is no resource `{resource}`; it is one of: {known}")));
    };
    Ok((found.id.clone(), resource))
}

/// Every held pass of the configured shops, `{"data": […]}`.
pub async fn all(config: &Config, store: &Store) -> Result<String, Refusal> {
    let found = store.all_held().await?.into_iter();
    let configured = found.filter(|(shop, _, _)| config.shops.iter().any(|known| known.id == *shop));
    json(&HeldList { data: configured.map(|(shop, resource, held)| pass(&shop, resource, held)).collect() })
}

/// The held pass over this resource.
pub async fn one(config: &Config, store: &Store, shop: &str, resource: &str) -> Result<String, Refusal> {
    let (shop, resource) = named(config, shop, resource)?;
    let held = store.held(&shop, resource).await?.ok_or_else(|| not_held(&shop, resource))?;
    json(&pass(&shop, resource, held))
}

/// Writes down what a person says about the held pass over this resource, and returns it as it is then.
///
/// While the service runs, only with [`super::shop::Shop::guard`] held: a pass that has read the record before and
/// writes it after would undo the decision.
pub async fn decide(
    config: &Config,
    store: &Store,
    shop: &str,
    resource: &str,
    decision: Decision,
) -> Result<String, Refusal> {
    let (shop, resource) = named(config, shop, resource)?;
    let record = store.guard(&shop, resource).await?;
    let held = record.held.ok_or_else(|| not_held(&shop, resource))?.after(decision);
    let answer = json(&pass(&shop, resource, held.clone()))?;
    let record = GuardRecord { held: Some(held), ..record };
    store.commit(Commit { guard: Some((shop, resource, record)), ..Commit::default() }).await?;
    Ok(answer)
}

fn pass(shop: &ShopId, resource: Resource, held: Held) -> HeldPass {
    HeldPass { shop: shop.to_string(), resource: resource.name().to_owned(), held }
}

fn not_held(shop: &ShopId, resource: Resource) -> Refusal {
    Refusal::NotFound(format!("no pass over {resource} of {shop} is held; `posbell held` lists those that are"))
}
