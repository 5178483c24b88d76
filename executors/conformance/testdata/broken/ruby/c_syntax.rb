# frozen_string_literal: true

class Unfinished
  def process(
end
