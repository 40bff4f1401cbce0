/** Folding of the middle of a long call chain. */
import { useState } from "preact/hooks";

const FIRST = 2;
const LAST = 6;

export interface Folding {
  /** Index of the first hidden step, -1 if all are shown. */
  first: number;
  /** Number of hidden steps. */
  count: number;
  isHidden: (index: number) => boolean;
  /** Show all steps. */
  open: () => void;
}

/** Hide the middle of a chain that has many steps, until it is opened. */
export function useFolding(length: number): Folding {
  const [isOpen, setOpen] = useState(false);
  const count = isOpen || length <= FIRST + LAST + 1 ? 0 : length - FIRST - LAST;
  return {
    first: count ? FIRST : -1,
    count,
    isHidden: (index) => index >= FIRST && index < FIRST + count,
    open: () => setOpen(true),
  };
}
