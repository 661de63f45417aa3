use custos_ports::Entropy;

/// The operating system's randomness, through the process's one cryptographic library.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("a machine without randomness cannot seal anything");
    }
}
