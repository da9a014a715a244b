//! The other ports of a database: views and traces. The consumer does not use them; the contract suite does.

use events::{Body, Event, Timestamp};
use pipeline::ports::EventTrace;
use pipeline::trace::{About, HISTORY_ROWS, History, LedgerLine, ParkedRow, ShownRow, StockRow, Subject};
use pipeline::{Entity, Fault, Trace};
use readmodel::views::ORDERS_SHOWN;
use readmodel::{AsOf, InventoryView, OrderItemView, OrderSummary, OrderView, PaymentView, ReadFault, ReadStore, RecentUser, UserView};
use uuid::Uuid;

use super::adapter::SimStore;
use super::parking::event_of;
use super::tables::{Line, Parked, Row, Tables};

impl ReadStore for SimStore {
    async fn user(&self, user_id: Uuid) -> Result<Option<UserView>, ReadFault> {
        Ok(self.world.step(|state| user(&state.tables, user_id)))
    }

    async fn recent_users(&self, limit: u16) -> Result<Vec<RecentUser>, ReadFault> {
        Ok(self.world.step(|state| {
            let mut users: Vec<_> = state.tables.users.values().filter_map(recent_user).collect();
            users.sort_by_key(|user| std::cmp::Reverse((user.created_at, user.user_id)));
            users.truncate(limit.into());
            users
        }))
    }

    async fn order(&self, order_id: Uuid) -> Result<Option<OrderView>, ReadFault> {
        Ok(self.world.step(|state| order(&state.tables, order_id)))
    }

    async fn inventory(&self, sku: &str) -> Result<Option<InventoryView>, ReadFault> {
        let view =
            |(quantity, updated_at): &(i64, Timestamp)| InventoryView { sku: sku.to_owned(), quantity: *quantity, updated_at: *updated_at };
        Ok(self.world.step(|state| state.tables.stock.get(sku).map(view)))
    }

    async fn ping(&self) -> Result<(), ReadFault> {
        Ok(())
    }

    async fn as_of(&self) -> Result<Option<AsOf>, ReadFault> {
        Ok(None)
    }
}

impl EventTrace for SimStore {
    async fn trace(&self, event_id: Uuid, entity: Option<Entity>) -> Result<Trace, Fault> {
        Ok(self.world.step(|state| trace(&state.tables, event_id, entity)))
    }

    async fn history(&self, subject: &Subject) -> Result<History, Fault> {
        Ok(self.world.step(|state| match subject {
            Subject::Article(sku) => article(&state.tables, sku),
            Subject::Entity(entity) => of_entity(&state.tables, *entity),
        }))
    }
}

fn trace(tables: &Tables, event_id: Uuid, entity: Option<Entity>) -> Trace {
    let rows = [&tables.users, &tables.orders, &tables.payments].into_iter().flat_map(|rows| rows.values()).filter_map(shown);
    let rows = rows.filter(|row| row.event_id == event_id || Some(row.entity) == entity).collect();
    let ledger = tables.ledger.get(&event_id).map(ledger_line);
    let parked = tables.parked.values().filter(|parked| parked.event.event_id == event_id).map(parked_row);
    Trace { ledger, parked: parked.collect(), ..Trace::default() }.with_rows(rows, event_id, entity)
}

fn article(tables: &Tables, sku: &str) -> History {
    let stock = tables.stock.get(sku).map(|(quantity, updated_at)| StockRow { quantity: *quantity, updated_at: *updated_at });
    let mut ledger: Vec<_> = tables.ledger.values().filter(|line| line.sku == sku).map(ledger_line).collect();
    ledger.sort_by_key(|line| std::cmp::Reverse((line.applied_at, line.event_at)));
    ledger.truncate(HISTORY_ROWS);
    History { stock, ledger, ..History::default() }
}

fn of_entity(tables: &Tables, entity: Entity) -> History {
    let rows = match entity {
        Entity::User(_) => &tables.users,
        Entity::Order(_) => &tables.orders,
        Entity::Payment(_) => &tables.payments,
    };
    let parked: Vec<_> = tables.parked.values().map(parked_row).collect();
    let chosen = |is_meant: &dyn Fn(&ParkedRow) -> bool| {
        let mut rows: Vec<_> = parked.iter().filter(|row| is_meant(row)).cloned().collect();
        rows.sort_by_key(|row| (row.parked_at, row.event_id));
        rows
    };
    let about = chosen(&|row| row.about.is_some_and(|about| about.entity == Some(entity)));
    let mut children = chosen(&|row| Some(row.waits_for) == entity.as_parent());
    let children_total = children.len() as u64;
    children.truncate(HISTORY_ROWS);
    History { row: rows.get(&entity.id()).and_then(shown), parked: about, children, children_total, ..History::default() }
}

fn ledger_line(line: &Line) -> LedgerLine {
    LedgerLine { event_id: line.event.id, sku: line.sku.clone(), delta: line.delta, event_at: line.event.at, applied_at: line.applied_at }
}

fn parked_row(parked: &Parked) -> ParkedRow {
    ParkedRow {
        event_id: parked.event.event_id,
        position: parked.event.position.clone(),
        waits_for: parked.event.waits_for,
        parked_at: parked.event.parked_at,
        expired: parked.expired,
        about: event_of(parked).map(|event| About { event_id: event.id, entity: Entity::of(&event.body), event_at: event.at }),
    }
}

fn shown(row: &Row) -> Option<ShownRow> {
    let entity = Entity::of(&row.event.body)?;
    Some(ShownRow { entity, event_id: row.event.id, event_at: row.event.at, updated_at: row.updated_at })
}

fn user(tables: &Tables, user_id: Uuid) -> Option<UserView> {
    let user = recent_user(tables.users.get(&user_id)?)?;
    let mut orders: Vec<_> = tables.orders.values().filter_map(summary).filter(|order| order.user_id == user_id).collect();
    orders.sort_by_key(|order| std::cmp::Reverse((order.placed_at, order.order_id)));
    orders.truncate(ORDERS_SHOWN.into());
    Some(UserView { user, orders })
}

fn order(tables: &Tables, order_id: Uuid) -> Option<OrderView> {
    let row = tables.orders.get(&order_id)?;
    let Body::OrderPlaced(order) = &row.event.body else { return None };
    let items = order.items.iter().map(|item| OrderItemView { sku: item.sku.to_string(), quantity: item.quantity, price: item.price });
    let payments = tables.payments.values().filter_map(|row| payment(&row.event, order_id));
    let payment = payments.max_by_key(|payment| (payment.settled_at, payment.payment_id));
    Some(OrderView { order: summary(row)?, items: items.collect(), payment })
}

fn recent_user(row: &Row) -> Option<RecentUser> {
    let Body::UserCreated(user) = &row.event.body else { return None };
    Some(RecentUser {
        user_id: user.user_id,
        email: user.email.to_string(),
        first_name: user.first_name.to_string(),
        last_name: user.last_name.to_string(),
        created_at: user.created_at,
        updated_at: row.updated_at,
    })
}

fn summary(row: &Row) -> Option<OrderSummary> {
    let Body::OrderPlaced(order) = &row.event.body else { return None };
    Some(OrderSummary {
        order_id: order.order_id,
        user_id: order.user_id,
        total_amount: order.total_amount,
        currency: order.currency.to_string(),
        placed_at: order.placed_at,
        updated_at: row.updated_at,
    })
}

fn payment(event: &Event<'_>, order_id: Uuid) -> Option<PaymentView> {
    let Body::PaymentSettled(payment) = &event.body else { return None };
    (payment.order_id == order_id).then(|| PaymentView {
        payment_id: payment.payment_id,
        amount: payment.amount,
        currency: payment.currency.to_string(),
        payment_method: payment.payment_method.to_string(),
        status: payment.status.to_string(),
        settled_at: payment.settled_at,
    })
}
