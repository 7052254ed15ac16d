use std::fmt;
use std::ops::Add;

#[derive(Clone, Copy)]
pub struct Metres(pub f64);
pub struct Feet(pub f64);

impl From<Feet> for Metres {
    fn from(feet: Feet) -> Self {
        Metres(feet.0 * 0.3048)
    }
}

impl Add for Metres {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Metres(self.0 + other.0)
    }
}

impl fmt::Display for Metres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} m", self.0)
    }
}
