Component({
  properties: { rows: { type: Array, value: [] as object[] }, large: { type: Boolean, value: false } },
})
