/** What stands where an answer is missing. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Answer } from "../api";

const PATIENCE_MS = 100;

/** A loading state that appears after a tenth of a second. */
export function Loading({ what }: { what: string }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setShown(true), PATIENCE_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return <p class="loading" role="status">{shown ? <><span class="spinner" /> Loading {what} …</> : null}</p>;
}

export function Failure({ message }: { message: string }) {
  return <p class="failure" role="alert">{message}</p>;
}

export function Nothing({ children }: { children: ComponentChildren }) {
  return <p class="nothing">{children}</p>;
}

/** Show an answer, and above it that it is loaded anew or has failed. */
export function Answered<T>({ answer, what, children }: { answer: Answer<T>; what: string; children: (data: T) => ComponentChildren }) {
  return (
    <>
      {answer.error ? <Failure message={answer.error} /> : null}
      {answer.loading ? <Loading what={what} /> : null}
      {answer.data ? children(answer.data) : null}
    </>
  );
}
