"""Raspberry Pi processors emulated with QEMU."""
