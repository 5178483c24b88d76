# frozen_string_literal: true

class GoodHandler
  def process(_task, _sequence, _step)
    answer
  end

  private

  def answer
    "first"
  end
end
