// Rows of name and value, in the order of the web page.
import { Grievance, Order, OrderTaken, Pressure, Receipt, Review, Wall } from './api/shapes'
import { About, nameOf } from './api/walls'
import { day, moment } from './when'
import { words } from './words'

export interface Row {
  name: string
  value: string
  level?: number
}

export function receiptRows(receipt: Receipt): Row[] {
  return filled([
    { name: words.matter, value: receipt.matter },
    { name: words.agency, value: receipt.agency },
    { name: words.window, value: receipt.window },
    { name: words.day, value: day(receipt.handled_at) },
  ])
}

export function wallRows(wall: Wall, about: About | null): Row[] {
  return filled([
    { name: words.place, value: nameOf(wall) },
    { name: words.matter, value: about ? about.name || words.not_chosen : '' },
    { name: words.case_number, value: (about && about.case_number) || '' },
    { name: words.agency, value: wall.window && !about ? wall.window.agency : '' },
  ])
}

export function orderRows(order: OrderTaken | Order): Row[] {
  const provisional = 'provisional' in order && order.provisional ? words.provisional : ''
  return [
    { name: words.order_number, value: order.number },
    { name: words.responsible, value: order.agency },
    { name: words.due, value: day(order.due_at) + provisional },
  ]
}

export function pressureRows(pressure: Pressure): Row[] {
  return filled([
    { name: words.matter, value: pressure.matter },
    { name: words.agency, value: pressure.agency },
    { name: words.pressed_at, value: moment(pressure.reported_at) },
  ])
}

export function reviewRows(review: Review): Row[] {
  return filled([
    { name: words.level, value: review.level_name, level: review.level },
    { name: words.matter, value: review.matter },
    { name: words.window, value: review.window },
    { name: words.time, value: moment(review.at) },
    { name: words.way, value: review.real_name ? words.real_name : words.anonymous },
    { name: words.reasons, value: review.tag_texts.join('；') },
    { name: words.your_words, value: review.comment },
    { name: words.supplement, value: review.supplement || '' },
  ])
}

export function grievanceRows(said: Grievance): Row[] {
  return filled([
    { name: words.kind, value: [said.source_name, said.kind_name].filter(Boolean).join('·') },
    { name: words.function, value: said.function_name },
    { name: words.matter, value: said.matter },
    { name: words.window, value: said.window },
    { name: words.time, value: moment(said.at) },
    { name: words.way, value: said.real_name ? words.real_name : words.anonymous },
    { name: words.your_words, value: said.text },
  ])
}

export function filled(rows: Row[]): Row[] {
  return rows.filter((row) => row.value)
}
