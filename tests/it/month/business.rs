//! What happens in a busy shop in a month: an agenda of acts, each at its time, drawn from a seed.
//!
//! A poller sees states and not what happened between them, so an act that would hide what is still to be told waits:
//! whoever demands every journaled event may do so. What need not wait does not: a sale may be cancelled before anybody
//! has read it, and a debt falls due whatever is still to be told of it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use chrono::TimeDelta;
use posbell::demo::shop::{Change, Generator, Line, Refused, SaleEdit, SimulatedShop};
use posbell::domain::event::EventKind;
use posbell::domain::model::{EntityId, Money, Quantity, Subject, Timestamp};

use super::books;
use super::time::Time;

/// When the shop opens and closes, in minutes of the Bangkok day.
const OPEN: std::ops::Range<i64> = 7 * 60..21 * 60;

/// The products that most people buy.
const FAVOURITES: usize = 12;

/// How many lines of a basket are looked for on the shelves before the customer waits.
const TRIES: usize = 16;

/// Something that is to happen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Plans a day at its first minute, and lets debts grow older.
    BeginDay,
    /// A customer, whose bill may have been made earlier by a till that was offline.
    Sell { late_by: i64 },
    /// A customer who pays later.
    Lend,
    /// A cashier takes a bill back.
    Cancel(EntityId),
    /// A cashier corrects a bill.
    Edit(EntityId),
    /// Part of a debt.
    PayPart(EntityId),
    /// The rest of a debt.
    Pay(EntityId),
    /// A debt is in no list any more.
    Lose(EntityId),
    /// A lorry fills the shelves.
    Deliver,
    /// Somebody counts a shelf.
    Count,
    /// What is done in the books: see [`books`].
    Book(books::Act),
}

/// The shop's agenda.
pub struct Business {
    pub(super) shop: Arc<SimulatedShop>,
    pub(super) time: Time,
    pub(super) chance: Generator,
    agenda: BinaryHeap<Reverse<(Timestamp, u64, Act)>>,
    planned: u64,
    sales_a_day: usize,
    /// The day after which no more is planned.
    last_day: Timestamp,
    /// What is on the shelves for customers.
    pub(super) shelves: Vec<EntityId>,
    /// When each bill was made.
    pub sold_at: Vec<Timestamp>,
}

impl Business {
    /// A business that begins at the next midnight and goes on for so many days.
    pub fn new(shop: Arc<SimulatedShop>, time: Time, first_day: Timestamp, days: i64, sales_a_day: usize) -> Business {
        let shelves = shop.products();
        let mut business = Business {
            shop,
            time,
            chance: Generator::new(2026),
            agenda: BinaryHeap::new(),
            planned: 0,
            sales_a_day,
            last_day: first_day + TimeDelta::days(days),
            shelves,
            sold_at: Vec::new(),
        };
        business.plan(first_day, Act::BeginDay);
        business
    }

    /// Does all that is to be done until that moment, each at its time.
    pub fn run_until(&mut self, moment: Timestamp) {
        while self.agenda.peek().is_some_and(|Reverse((at, ..))| *at <= moment) {
            let Some(Reverse((at, _, act))) = self.agenda.pop() else { return };
            self.time.go_to(at);
            self.act(act);
        }
        self.time.go_to(moment);
    }

    /// Whether the last day is over.
    pub fn is_over(&self) -> bool {
        self.time.now() >= self.last_day
    }

    /// Nothing more happens, whatever was planned for later.
    pub fn close(&mut self) {
        self.agenda.clear();
    }

    pub(super) fn plan(&mut self, at: Timestamp, act: Act) {
        self.planned += 1;
        self.agenda.push(Reverse((at, self.planned, act)));
    }

    pub(super) fn later(&mut self, minutes: i64, act: Act) {
        let at = self.time.now() + TimeDelta::minutes(minutes);
        self.plan(at, act);
    }

    /// A number from the first to before the second.
    pub(super) fn between(&mut self, from: i64, until: i64) -> i64 {
        from + i64::try_from(self.chance.below(usize::try_from(until - from).unwrap_or(1))).unwrap_or_default()
    }

    /// Some time of the opening hours of the day that begins now.
    fn some_time(&mut self) -> i64 {
        self.between(OPEN.start, OPEN.end)
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::BeginDay => self.begin_day(),
            Act::Sell { late_by } => self.sell(late_by),
            Act::Lend => self.lend(),
            Act::Cancel(sale) => self.cancel(sale),
            Act::Edit(sale) => self.edit(sale),
            Act::PayPart(credit) => {
                let part = Money::from(1);
                self.settle(&credit, Act::PayPart(credit.clone()), |shop, id| shop.pay_part(id, part));
            }
            Act::Pay(credit) => self.settle(&credit, Act::Pay(credit.clone()), SimulatedShop::pay),
            Act::Lose(credit) => self.settle(&credit, Act::Lose(credit.clone()), SimulatedShop::lose_credit),
            Act::Deliver => self.deliver(),
            Act::Count => self.count(),
            Act::Book(act) => self.book(act),
        }
    }

    fn begin_day(&mut self) {
        self.shop.begin_day();
        if self.time.now() >= self.last_day {
            return;
        }
        self.later(24 * 60, Act::BeginDay);
        let lent = 6.min(self.sales_a_day);
        for number in 0..self.sales_a_day - lent {
            let at = self.some_time();
            // Two in a hundred come hours late, two in a thousand days.
            let late_by = match number % 500 {
                0..10 => self.between(30, 8 * 60),
                10 => self.between(20 * 60, 46 * 60),
                _ => 0,
            };
            self.later(at, Act::Sell { late_by });
        }
        for _ in 0..lent {
            let at = self.some_time();
            self.later(at, Act::Lend);
        }
        for at in [6 * 60 + 30, 12 * 60, 17 * 60] {
            self.later(at, Act::Deliver);
        }
        for _ in 0..8 {
            let at = self.some_time();
            self.later(at, Act::Count);
        }
        self.plan_books();
    }

    /// Goods that are on the shelves and whose sale hides nothing.
    fn basket(&mut self) -> Vec<Line> {
        let wanted = if self.chance.once_in(4) { 2 } else { 1 };
        let mut lines: Vec<Line> = Vec::new();
        for _ in 0..TRIES {
            if lines.len() == wanted {
                break;
            }
            let shelf = if self.chance.below(10) < 6 { FAVOURITES } else { self.shelves.len() };
            let place = self.chance.below(shelf.min(self.shelves.len()));
            let product = self.shelves[place].clone();
            let quantity = Quantity::from(self.between(1, 4));
            let Some(there) = self.shop.quantity(&product) else { continue };
            let left = Quantity::from(there.decimal() - quantity.decimal());
            let is_new = lines.iter().all(|line| line.product != product);
            if is_new && left >= Quantity::ZERO && !self.shop.would_hide(&product, left) {
                lines.push(Line { product, quantity });
            }
        }
        lines
    }

    fn sell(&mut self, late_by: i64) {
        let lines = self.basket();
        if lines.is_empty() {
            // Empty shelves, or every level is still to be told: the customer waits.
            return self.later(5, Act::Sell { late_by });
        }
        let sold_at = self.time.now() - TimeDelta::minutes(late_by);
        let sale = self.shop.sell_at(sold_at, &lines).expect("all of it is there").id;
        self.sold_at.push(sold_at);
        // Taken back after 10 or 81 minutes, as was seen, or after days.
        match self.sold_at.len() % 250 {
            0 | 1 => self.later(10, Act::Cancel(sale)),
            2 | 3 => self.later(81, Act::Cancel(sale)),
            4 if late_by == 0 => {
                let minutes = self.between(20 * 60, 46 * 60);
                self.later(minutes, Act::Cancel(sale));
            }
            5 | 6 => {
                let minutes = self.between(5, 600);
                self.later(minutes, Act::Edit(sale));
            }
            _ => {}
        }
    }

    fn lend(&mut self) {
        let lines = self.basket();
        if lines.is_empty() {
            return self.later(5, Act::Lend);
        }
        let days = self.between(2, 20);
        let credit = self.shop.lend_for(&lines, TimeDelta::days(days)).expect("all of it is there").id;
        self.sold_at.push(self.time.now());
        let some_days = |days: i64, minutes: i64| days * 24 * 60 + minutes;
        match self.chance.below(12) {
            // Never paid.
            0 | 1 => {}
            2 => self.later(some_days(3, 100), Act::Lose(credit)),
            3..6 => {
                self.later(some_days(1, 300), Act::PayPart(credit.clone()));
                self.later(some_days(days, 200), Act::Pay(credit));
            }
            number => self.later(some_days(i64::try_from(number).unwrap_or(6) * 2, 400), Act::Pay(credit)),
        }
    }

    /// A bill may be taken back before anybody has read it: then both is told. Not before its correction was told.
    fn cancel(&mut self, sale: EntityId) {
        let awaited = self.shop.awaited_of(&Subject::sale(&sale));
        if awaited.iter().any(|kind| *kind != EventKind::SaleCreated) {
            return self.later(20, Act::Cancel(sale));
        }
        self.shop.cancel(&sale, "ลูกค้าเปลี่ยนใจ").expect("it stands");
    }

    fn edit(&mut self, sale: EntityId) {
        if !self.shop.awaited_of(&Subject::sale(&sale)).is_empty() {
            return self.later(20, Act::Edit(sale));
        }
        let edit = match self.chance.once_in(2) {
            true => SaleEdit::Comment("ออกใบกำกับแล้ว".to_owned()),
            false => SaleEdit::Total(Money::from(self.between(1, 90))),
        };
        match self.shop.edit_sale(&sale, edit) {
            // Cancelled meanwhile, or corrected to what it was.
            Ok(_) | Err(Refused::Already(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn settle(
        &mut self,
        credit: &EntityId,
        again: Act,
        how: impl Fn(&SimulatedShop, &EntityId) -> Result<Change, Refused>,
    ) {
        if !self.shop.awaited_of(&Subject::credit(credit)).is_empty() {
            return self.later(30, again);
        }
        match how(&self.shop, credit) {
            // The debt is as small as the part.
            Ok(_) | Err(Refused::NoPart(_)) => {}
            Err(error) => panic!("{again:?}: {error}"),
        }
    }

    /// Fills what runs short, but for shelves whose level is still to be told.
    fn deliver(&mut self) {
        for product in self.shelves.clone() {
            let Some(there) = self.shop.quantity(&product) else { continue };
            let brought = Quantity::from(self.between(60, 140));
            let full = Quantity::from(there.decimal() + brought.decimal());
            if there < Quantity::from(25) && !self.shop.would_hide(&product, full) {
                self.shop.restock(&product, brought).expect("is known");
            }
        }
    }

    /// Finds some more or less than there should be.
    fn count(&mut self) {
        let place = self.chance.below(self.shelves.len());
        let product = self.shelves[place].clone();
        let Some(there) = self.shop.quantity(&product) else { return };
        let found = Quantity::from(there.decimal() + Quantity::from(self.between(-3, 4)).decimal());
        if found >= Quantity::ZERO && found != there && !self.shop.would_hide(&product, found) {
            self.shop.set_quantity(&product, found).expect("is known");
        }
    }
}
