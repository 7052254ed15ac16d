use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Frozen { days: u8 },
    Closed,
}

impl State {
    fn next_day(self) -> Self {
        match self {
            State::Frozen { days: 0 | 1 } => State::Open,
            State::Frozen { days } => State::Frozen { days: days - 1 },
            other => other,
        }
    }
}

struct Bank {
    name: String,
    accounts: RefCell<Vec<Rc<Account>>>,
    fees: Cell<u64>,
}

struct Account {
    owner: String,
    balance: Cell<u64>,
    state: Cell<State>,
    bank: Weak<Bank>,
}

impl Bank {
    fn open(self: &Rc<Self>, owner: &str, balance: u64) -> Rc<Account> {
        let account = Rc::new(Account {
            owner: owner.to_owned(),
            balance: Cell::new(balance),
            state: Cell::new(State::Open),
            bank: Rc::downgrade(self),
        });
        self.accounts.borrow_mut().push(Rc::clone(&account));
        account
    }
}

impl Account {
    fn pay(&self, to: &Account, amount: u64) -> Result<(), String> {
        let bank = self.bank.upgrade().ok_or("the bank is gone")?;
        for account in [self, to] {
            match account.state.get() {
                State::Open => {}
                state => return Err(format!("{}'s account at {} is {state:?}", account.owner, bank.name)),
            }
        }
        let left = self.balance.get().checked_sub(amount + 1).ok_or_else(|| format!("{} has only {}", self.owner, self.balance.get()))?;
        self.balance.set(left);
        to.balance.set(to.balance.get() + amount);
        bank.fees.set(bank.fees.get() + 1);
        Ok(())
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        println!("{} leaves with {}", self.owner, self.balance.get());
    }
}

fn main() {
    let bank = Rc::new(Bank { name: "Oxide".into(), accounts: RefCell::default(), fees: Cell::new(0) });
    let (ann, bob) = (bank.open("Ann", 100), bank.open("Bob", 20));
    println!("{:?}", ann.pay(&bob, 50));
    println!("{:?}", bob.pay(&ann, 500));
    bob.state.set(State::Frozen { days: 2 });
    for day in 1..=3 {
        println!("day {day}: {:?}", ann.pay(&bob, 5));
        bob.state.set(bob.state.get().next_day());
    }
    ann.state.set(State::Closed);
    println!("{:?}", ann.pay(&bob, 1));
    println!("fees {}, {} owners of Bob's account", bank.fees.get(), Rc::strong_count(&bob));
    println!("{}", bank.accounts.borrow().iter().map(|account| account.balance.get()).sum::<u64>());
    println!("{}", bank.accounts.try_borrow_mut().is_ok_and(|mut accounts| accounts.pop().is_some()));
    drop(bank);
    println!("{:?}", bob.pay(&ann, 1));
}
