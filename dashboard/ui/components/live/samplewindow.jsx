// Over how many samples a card's prices are drawn and summed up. This browser remembers it.

import { useEffect, useState } from "react";
import { integer } from "./format.js";
import { readSamples, rememberSamples, SAMPLES } from "./preferences.js";
import { store } from "./store.js";

export function SampleWindow() {
  const [samples, setSamples] = useState(SAMPLES[0]);
  useEffect(() => setSamples(readSamples()), []);
  useEffect(() => store.market.setSampleWindow(samples), [samples]);
  const choose = (event) => {
    const chosen = Number(event.target.value);
    rememberSamples(chosen);
    setSamples(chosen);
  };
  return (
    <select id="sample" value={samples} onChange={choose}>
      {SAMPLES.map((each) => (
        <option key={each} value={each}>
          {integer(each)} samples
        </option>
      ))}
    </select>
  );
}
