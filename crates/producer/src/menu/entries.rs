//! The four entries that create an event: what each asks, and the event that comes of it.

use events::{AdjustmentType, Body, Event, InventoryAdjusted, OrderItem, OrderPlaced, PaymentSettled, UserCreated};
use uuid::Uuid;

use super::memory::{KnownArticle, KnownOrder, Memory};
use super::prompt::{Prompt, confirm, field, pick};
use super::wrap::shortened;
use super::{Left, asked};
use crate::{defaults, fields};

/// Characters of a name that an offer shows beside an id.
const NAME: usize = 16;

/// 1 Create User.
pub(super) fn create_user(prompt: &mut impl Prompt) -> Result<Event<'static>, Left> {
    let (first, last) = defaults::person();
    let first_name = field(prompt, "First name", &first, fields::name)?;
    let last_name = field(prompt, "Last name", &last, fields::name)?;
    let email = field(prompt, "E-mail", &defaults::email(&first_name, &last_name), asked::email)?;
    let user_id = field(prompt, "User id", &Uuid::new_v4(), fields::uuid)?;
    Ok(defaults::event(Body::UserCreated(UserCreated {
        user_id,
        email: email.into(),
        first_name: first_name.into(),
        last_name: last_name.into(),
        created_at: defaults::now(),
    })))
}

/// 2 Place Order.
pub(super) fn place_order(prompt: &mut impl Prompt, memory: &Memory) -> Result<Event<'static>, Left> {
    let user_id = user(prompt, memory)?;
    let currency = field(prompt, "Currency", &defaults::CURRENCY, fields::currency)?;
    let (items, total) = loop {
        let items = items(prompt, memory)?;
        match fields::total(&items) {
            Ok(total) => break (items, total),
            Err(rule) => prompt.say(&format!("The total {rule}. Start the items again.")),
        }
    };
    let total_amount = field(prompt, "Total amount", &asked::shown(total), asked::amount)?;
    let order_id = field(prompt, "Order id", &Uuid::new_v4(), fields::uuid)?;
    let (currency, placed_at) = (currency.into(), defaults::now());
    Ok(defaults::event(Body::OrderPlaced(OrderPlaced { order_id, user_id, total_amount, currency, items, placed_at })))
}

fn user(prompt: &mut impl Prompt, memory: &Memory) -> Result<Uuid, Left> {
    let users: Vec<_> = memory.users().iter().map(|user| (format!("{}  {}", user.id, shortened(&user.name, NAME)), user.id)).collect();
    if users.is_empty() {
        prompt.say("No user was created in this run. An order waits in the database until its user arrives.");
        return field(prompt, "User id", &Uuid::new_v4(), fields::uuid);
    }
    pick(prompt, "User (number, or a user id)", &users, "1", number_or_uuid)
}

fn items(prompt: &mut impl Prompt, memory: &Memory) -> Result<Vec<OrderItem<'static>>, Left> {
    let mut items = Vec::new();
    loop {
        let sku = article(prompt, memory)?;
        let quantity = field(prompt, "Quantity", &1, asked::ordered)?;
        let known = memory.price_of(&sku).unwrap_or(defaults::article().price());
        let price = field(prompt, "Price of one", &asked::shown(known), asked::amount)?;
        items.push(OrderItem { sku: sku.into(), quantity, price });
        if !confirm(prompt, "Another item? (y/n)")? {
            return Ok(items);
        }
    }
}

fn article(prompt: &mut impl Prompt, memory: &Memory) -> Result<String, Left> {
    let shown = |article: &KnownArticle| format!("{:<20}{:>10}", article.sku, asked::shown(article.price));
    let articles: Vec<_> = memory.articles().iter().map(|article| (shown(article), article.sku.clone())).collect();
    pick(prompt, "Article (number, or a SKU)", &articles, "1", fields::sku)
}

/// 3 Settle Payment.
pub(super) fn settle_payment(prompt: &mut impl Prompt, memory: &Memory) -> Result<Event<'static>, Left> {
    let order = order(prompt, memory)?;
    let amount = field(prompt, "Amount", &asked::shown(order.total), asked::amount)?;
    let currency = field(prompt, "Currency", &order.currency, fields::currency)?.into();
    let payment_method = field(prompt, "Payment method", &defaults::PAYMENT_METHOD, fields::payment_method)?.into();
    let status = field(prompt, "Status", &defaults::STATUS, fields::status)?.into();
    let payment_id = field(prompt, "Payment id", &Uuid::new_v4(), fields::uuid)?;
    let (order_id, settled_at) = (order.id, defaults::now());
    Ok(defaults::event(Body::PaymentSettled(PaymentSettled { payment_id, order_id, amount, currency, payment_method, status, settled_at })))
}

fn order(prompt: &mut impl Prompt, memory: &Memory) -> Result<KnownOrder, Left> {
    let other = |id| KnownOrder { id, total: defaults::article().price(), currency: defaults::CURRENCY.to_owned(), paid: false };
    let shown = |order: &KnownOrder| {
        let paid = if order.paid { " paid" } else { "" };
        format!("{} {} {}{paid}", order.id, asked::shown(order.total), order.currency)
    };
    let orders: Vec<_> = memory.orders().into_iter().map(|order| (shown(order), order.clone())).collect();
    if orders.is_empty() {
        prompt.say("No order was placed in this run. A payment waits in the database until its order arrives.");
        return field(prompt, "Order id", &Uuid::new_v4(), |text| fields::uuid(text).map(other));
    }
    pick(prompt, "Order (number, or an order id)", &orders, "1", |text| number_or_uuid(text).map(other))
}

/// 4 Adjust Inventory.
pub(super) fn adjust_inventory(prompt: &mut impl Prompt, memory: &Memory) -> Result<Event<'static>, Left> {
    let sku = article(prompt, memory)?;
    let types = AdjustmentType::ALL.map(|kind| (format!("{:<17}{}", kind.as_str(), meaning(kind)), kind));
    let adjustment_type = pick(prompt, "Type (number or name)", &types, "1", fields::adjustment_type)?;
    let quantity = if adjustment_type == AdjustmentType::OrderFulfilled { -1 } else { 10 };
    let quantity = field(prompt, "Quantity", &quantity, asked::adjusted)?;
    let reason = field(prompt, "Reason", &defaults::reason(adjustment_type), fields::reason)?;
    let (sku, reason, adjusted_at) = (sku.into(), reason.into(), defaults::now());
    Ok(defaults::event(Body::InventoryAdjusted(InventoryAdjusted { sku, quantity, adjustment_type, reason, adjusted_at })))
}

const fn meaning(kind: AdjustmentType) -> &'static str {
    match kind {
        AdjustmentType::Add => "stock rises by the quantity",
        AdjustmentType::Subtract => "stock falls by the quantity",
        AdjustmentType::OrderFulfilled => "left with an order: a quantity below zero",
        AdjustmentType::Returned => "came back: a quantity above zero",
    }
}

fn number_or_uuid(text: &str) -> fields::Checked<Uuid> {
    fields::uuid(text).map_err(|_| "must be a number of the list, or a UUID with hyphens".to_owned())
}
