# frozen_string_literal: true

module Shop
  module Support
    def answer(config)
      { "config" => config }
    end
  end
end
