//! What is held, and what a person says about it.
//!
//! Nothing of a held reading is kept, so a release changes no row. It is written into the guard's record, and the next
//! pass reads it there; killed in between, it stands.

use super::app::App;
use crate::api::{HeldPass, Refusal};
use crate::config::Config;
use crate::domain::diff::guard::{Decision, GuardRecord, Held};
use crate::domain::model::{Resource, ShopId};
use crate::edge::store::Commit;

/// The shop and the resource of these names, or which there are.
fn named(config: &Config, shop: &str, resource: &str) -> Result<(ShopId, Resource), Refusal> {
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

/// Every held pass of the configured shops.
pub async fn all(app: &App) -> Result<Vec<HeldPass>, Refusal> {
    let found = app.shared.store.all_held().await?.into_iter();
    let configured = found.filter(|(shop, _, _)| app.config.shops.iter().any(|known| known.id == *shop));
    Ok(configured.map(|(shop, resource, held)| pass(&shop, resource, held)).collect())
}

/// The held pass over this resource.
pub async fn one(app: &App, shop: &str, resource: &str) -> Result<HeldPass, Refusal> {
    let (shop, resource) = named(&app.config, shop, resource)?;
    let held = app.shared.store.held(&shop, resource).await?.ok_or_else(|| not_held(&shop, resource))?;
    Ok(pass(&shop, resource, held))
}

/// Writes down what a person says about the held pass over this resource, and returns it as it is then.
pub async fn decide(app: &App, shop: &str, resource: &str, decision: Decision) -> Result<HeldPass, Refusal> {
    let (shop, resource) = named(&app.config, shop, resource)?;
    // A pass that has read the record before and writes it after would undo the decision.
    let _alone = match app.running_shop(shop.as_str()) {
        Some(running) => Some(running.guard.lock().await),
        None => None,
    };
    let store = &app.shared.store;
    let record = store.guard(&shop, resource).await?;
    let held = record.held.ok_or_else(|| not_held(&shop, resource))?.after(decision);
    let record = GuardRecord { held: Some(held.clone()), ..record };
    store.commit(Commit { guard: Some((shop.clone(), resource, record)), ..Commit::default() }).await?;
    Ok(pass(&shop, resource, held))
}

fn pass(shop: &ShopId, resource: Resource, held: Held) -> HeldPass {
    HeldPass { shop: shop.to_string(), resource: resource.name().to_owned(), held }
}

fn not_held(shop: &ShopId, resource: Resource) -> Refusal {
    Refusal::NotFound(format!("no pass over {resource} of {shop} is held; `posbell held` lists those that are"))
}
